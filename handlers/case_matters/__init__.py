"""Service tasks of 案件有关事项: which extension is due, corrections that take effect."""
