"""Service tasks of the packs, one folder per pack. Import engine.sdk and the Protocols of integrations and devices, nothing else."""
