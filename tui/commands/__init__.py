"""One declaration per command: key, footer word, help line and palette come from it."""
