"""Service tasks of 案源线索与立案: sorting a clue, giving one back to its source, noting who handles it."""
