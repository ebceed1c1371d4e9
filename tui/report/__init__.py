"""The same facts without a screen: as JSON for scripts and as plain text for people."""
