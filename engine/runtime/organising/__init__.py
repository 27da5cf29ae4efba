"""What administrators do with units, people, posts, certificates, accounts and rights: one verb per module, each on record."""
