"""Tests of the links to brokers and result backends."""
