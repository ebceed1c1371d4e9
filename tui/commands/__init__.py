"""One declaration per command: binding, footer, palette and help come from it."""
