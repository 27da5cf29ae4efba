"""Flask blueprints, templates and static files: turns requests into calls of the floors below, nothing else."""
