"""Service tasks of 处罚执行: what is owed, the schedule, whether a court may be asked."""
