"""Read-models for pages and the API: plain rows, one file per topic, the reader's rights inside each statement. Writes nothing."""
