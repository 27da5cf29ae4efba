"""Service tasks of the shared approval chains."""
