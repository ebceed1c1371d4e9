"""The demo cluster, with real processes."""
