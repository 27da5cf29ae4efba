"""The pack.yaml schema, loading of packs, the catalogue of what uses what."""
