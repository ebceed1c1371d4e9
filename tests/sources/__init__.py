"""Sources against a real broker and real workers."""
