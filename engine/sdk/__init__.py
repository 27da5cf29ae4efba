"""The only door for handlers, integrations and devices."""
