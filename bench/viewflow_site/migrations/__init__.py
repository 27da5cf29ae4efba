"""The proxy has no table of its own."""
