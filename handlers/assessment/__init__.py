"""What 考核 needs is in the machinery."""
