"""Kinds of certificates that an officer may hold: word → title. By itself, so that reading a diagram loads no database."""
from __future__ import annotations

from collections.abc import Mapping

KINDS: Mapping[str, str] = {"enforcement": "执法证", "inspector": "督察证"}
