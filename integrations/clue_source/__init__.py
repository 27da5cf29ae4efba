"""案源系统: business systems that push clues to us and take back those that don't qualify."""
