"""What several measurements need: a terminal, a load, a fleet, and what a process costs."""
