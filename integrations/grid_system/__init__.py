"""网格化系统: feeds cases; takes results."""
