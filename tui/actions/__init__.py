"""What changes the cluster: one verb a file, each with a preview and an outcome."""
