"""What is wrong with the cluster: one rule a file."""
