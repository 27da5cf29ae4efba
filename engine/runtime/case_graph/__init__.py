"""What hangs together in one case, read as its pack's graph declares it: for officers, and narrowed to what a party may read."""
