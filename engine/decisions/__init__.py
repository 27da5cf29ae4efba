"""DMN decision tables over FEEL."""
