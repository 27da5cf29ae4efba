"""Service tasks of 强制措施: its register, and picking one of the measures in force."""
