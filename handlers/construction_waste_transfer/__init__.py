"""Service tasks of 建筑垃圾案件移交: where a transfer may go, and its link to the case system."""
