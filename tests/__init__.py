"""Tests, laid out like the package; integration/ talks to real servers."""
