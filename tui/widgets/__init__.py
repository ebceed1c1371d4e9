"""Generic pieces that screens are made of."""
