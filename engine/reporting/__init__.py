"""Statistics, dashboards and periodic reports over registers and history."""
