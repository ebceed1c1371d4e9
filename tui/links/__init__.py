"""Connections to brokers and result backends, and what their errors mean in words."""
