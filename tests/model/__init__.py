"""The model, held against recordings, disorder and hostile input."""
