"""The real app in real terminals: kinds of them, and what is done to them."""
