"""One module per command of `python -m engine`. May import everything below; nobody imports it."""
