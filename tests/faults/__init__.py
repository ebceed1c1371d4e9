"""Real faults on real clusters: what is said of them agrees with what their tasks wrote down."""
