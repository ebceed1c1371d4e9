"""Screens as a person sees them."""
