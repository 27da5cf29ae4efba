"""What a compressor raises for a file that is better left alone."""
from __future__ import annotations


class LeaveIt(Exception):
    """The message says why, in Chinese."""
