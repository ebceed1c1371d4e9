"""Tests of columns: what a cell says, and how wide it is."""
