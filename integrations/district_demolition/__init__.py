"""区拆违系统: feeds cases, demolitions; takes points, scores."""
