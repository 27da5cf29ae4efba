"""SQLAlchemy Core tables, queries.py and operations.py by topic, migrations, the job queue."""
