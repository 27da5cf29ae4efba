"""Service tasks of 督办: who may order whom, and at which level."""
