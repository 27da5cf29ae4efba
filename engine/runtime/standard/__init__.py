"""Service tasks that every diagram may name as ``gc.<name>``: case, clocks, documents, notices, records.

They are ordinary handlers; one module per subject, found by presence.
"""
