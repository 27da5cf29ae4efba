"""What 违建考核评价 needs is in the machinery and in 考核."""
