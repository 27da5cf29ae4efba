"""网上办案系统: the other side's penalty cases, to which our tickets are linked by case number."""
