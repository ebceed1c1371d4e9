"""Tests of the one-shot commands."""
