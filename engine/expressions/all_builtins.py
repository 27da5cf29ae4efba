"""Importing this declares every built-in function."""
from engine.expressions.builtins import BUILTINS

__all__ = ["BUILTINS"]
