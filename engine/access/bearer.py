"""Random bearer secrets of sessions and API tokens: the database holds only their SM3 hash."""

from __future__ import annotations

import secrets

from engine.kernel.gm import sm3


def new_secret(prefix: str = "") -> str:
    """A URL-safe secret with 256 random bits behind ``prefix``."""
    return prefix + secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    """What the database stores and looks up."""
    return sm3(secret.encode("utf-8", "replace"))
