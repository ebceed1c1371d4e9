"""One screen a file; each sees the program through the Host protocol of ``base`` only."""
