"""Service tasks of the tutorial pack."""
