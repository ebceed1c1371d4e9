"""One declaration per column, and how numbers, names and hostile text become cells."""
