"""Forms: loading, rendering, validating, printing one JSON Schema; drafts and submissions."""
