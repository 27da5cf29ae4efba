"""Service tasks of 文书送达: its registers and the announcement on the portal."""
