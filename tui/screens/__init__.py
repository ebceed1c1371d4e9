"""What a person sees: one screen a file, its style beside it."""
