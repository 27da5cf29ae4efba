"""Graphs of a case (案情图谱): what hangs together in it, declared by a pack."""
