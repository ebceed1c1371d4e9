"""Tests of what changes the cluster."""
