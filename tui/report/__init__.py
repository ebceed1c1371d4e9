"""The same facts without a screen: text or JSON."""
