"""One rule per module. ``check_source(root)`` reads the file as drawn, ``check(model, called, calls)`` the normalised process."""
