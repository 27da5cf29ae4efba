"""Periodic reports at work: drafted from figures, edited, issued by somebody else, sent, read."""
