"""Outside systems, one folder each: manifest, client, messages and a simulator that speaks the same contract. Import engine.sdk only."""
