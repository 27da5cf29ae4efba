"""The BPMN core: pure functions over diagrams and states, no database. The only room that imports SpiffWorkflow.

read → normalise → model → lint → parse (Spiff specs) → ``CompiledProcess``; ``Machine`` runs one instance of it.
"""
