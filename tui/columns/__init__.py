"""One declaration per column, for screens, plain text, CSV and JSON alike."""
