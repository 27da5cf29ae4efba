"""Carry a running instance over to another version of its process: every token, its data and what waits beside it."""
