"""Measurements whose figures are printed and read by people; nothing here is asserted."""
