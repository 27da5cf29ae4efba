"""What 报告审签 needs is in the machinery."""
