"""Tests of what is read from result backends."""
