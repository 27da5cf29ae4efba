"""Assessments at work: sheets edited, rounds opened and counted, scores given, results ranked."""
