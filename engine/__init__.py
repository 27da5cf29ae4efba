"""The machinery. It knows no pack by name; a floor imports only the floors below it (see pyproject.toml)."""
