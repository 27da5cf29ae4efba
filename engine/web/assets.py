"""Addresses of built files: ``asset("app.js")`` is the name with its hash, as the build's manifest says."""
from __future__ import annotations

from pathlib import Path

import orjson
from flask import Flask, url_for

MANIFEST = Path(__file__).parent / "static" / "dist" / "manifest.json"


class Assets:
    """Reads the build's manifest again when it changes."""

    def __init__(self, manifest: Path = MANIFEST) -> None:
        self._path = manifest
        self._read_at = -1
        self._names: dict[str, str] = {}

    def name(self, entry: str) -> str:
        """The built file for ``entry``; the entry itself while nothing is built, so that pages work in tests."""
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return entry
        if changed != self._read_at:
            self._names, self._read_at = orjson.loads(self._path.read_bytes()), changed
        return self._names.get(entry, entry)


def install(app: Flask) -> None:
    assets = Assets()

    def asset(entry: str) -> str:
        return url_for("static", filename=f"dist/{assets.name(entry)}")

    def static(name: str) -> str:
        return url_for("static", filename=name)

    app.jinja_env.globals.update(asset=asset, static=static)
