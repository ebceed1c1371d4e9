"""Tests of the rules, on clusters built by hand."""
