"""People, units, roles, data scope, sessions, tokens, parties, notices, audit. Imports storage and kernel only.

A request is made by an ``Actor``: one person in one post. What an actor may see is decided in the query (``scope``),
what an actor may be given to do by ``assignment``, and every act is written into an ``audit`` chain.
"""

from __future__ import annotations

from engine.access.actors import Actor

__all__ = ["Actor"]
