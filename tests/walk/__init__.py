"""One walk through the screens, on two kinds of cluster side by side."""
