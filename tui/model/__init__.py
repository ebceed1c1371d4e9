"""What is true about the cluster, in pure Python."""
