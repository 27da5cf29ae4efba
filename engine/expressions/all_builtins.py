"""Importing this declares every built-in function: each topic's module fills ``BUILTINS`` when it is imported."""
from engine.expressions import (
    builtin_context,
    builtin_conversion,
    builtin_list,
    builtin_numeric,
    builtin_range,
    builtin_string,
    builtin_temporal,
)
from engine.expressions.builtins import BUILTINS

TOPICS = (builtin_context, builtin_conversion, builtin_list, builtin_numeric, builtin_range, builtin_string, builtin_temporal)

__all__ = ["BUILTINS", "TOPICS"]
