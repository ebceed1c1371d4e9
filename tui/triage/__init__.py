"""What is wrong with the cluster: one rule a file."""

from .rules import Memory, evaluate

__all__ = ["Memory", "evaluate"]
