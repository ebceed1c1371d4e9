"""Between Textual and the terminal: only cells that changed are sent."""
