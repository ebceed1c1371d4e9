"""Task results, read from the store that keeps them."""
