"""Assessments: a score sheet declared beside a pack, automatic items from statistics, manual ones from people, totals and ranks."""
