"""What an operator does to a running instance: put facts right, go back to a snapshot, end it; each an act with a reason, on record."""
