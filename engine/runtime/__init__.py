"""SpiffWorkflow lives here and nowhere else: deploy, start, complete, return, timers, messages; one verb per module."""
