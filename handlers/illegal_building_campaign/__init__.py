"""Nothing of its own: the standard service tasks are enough."""
