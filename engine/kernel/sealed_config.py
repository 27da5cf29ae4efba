"""Passwords and keys in files of configuration are sealed with the data key where they lie: whoever copies a file has nothing.

A value counts as secret by its name. What an operator writes in plain is sealed at the next start, and again under a new data key.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from engine.kernel.gm.keyring import KeyRing
from engine.kernel.gm.private_files import read_file

MARK = "sm4:"
SECRET = re.compile(r"password|secret|token|passphrase|credential|(^|_)(key|pin)$", re.I)
_AAD = b"configuration:"
FILES = ("sign_in.json", "connectors/*.json")


def seal_configuration(data_dir: Path, keys: KeyRing) -> list[str]:
    """Seal what is still plain or under an older key in the files of a data folder; the names of those changed. A file that can't be read is left."""
    changed = []
    for file in (found for pattern in FILES for found in sorted(data_dir.glob(pattern))):
        try:
            given = orjson.loads(file.read_bytes())
        except (orjson.JSONDecodeError, OSError):
            continue
        sealed = _walk(given, "", keys)
        if sealed != given:
            partial = file.with_suffix(".part")
            partial.write_bytes(orjson.dumps(sealed, option=orjson.OPT_INDENT_2))
            partial.chmod(0o600)
            partial.replace(file)
            changed.append(str(file.relative_to(data_dir)))
    return changed


def read_configuration(file: Path, keys: KeyRing | None, *, private: bool = False) -> Any:
    """The content of a JSON file with its secrets opened; ``private`` refuses a file that others may read. Raises SealBroken, orjson.JSONDecodeError."""
    given = orjson.loads(read_file(file) if private else file.read_bytes())
    return _open(given, "", keys) if keys is not None else given


def is_sealed(file: Path) -> bool:
    """Does the file hold a sealed value?"""
    return MARK.encode() in file.read_bytes()


def plain_secrets(value: Any, name: str = "") -> list[str]:
    """Names of the values in a configuration that should be sealed and aren't."""
    if isinstance(value, Mapping):
        return [found for one, inner in value.items() for found in plain_secrets(inner, str(one))]
    return [name] if isinstance(value, str) and value and SECRET.search(name) and not value.startswith(MARK) else []


def _walk(value: Any, name: str, keys: KeyRing) -> Any:
    if isinstance(value, Mapping):
        return {one: _walk(inner, str(one), keys) for one, inner in value.items()}
    if not isinstance(value, str) or not value or not SECRET.search(name):
        return value
    if not value.startswith(MARK):
        return MARK + keys.encrypt(value.encode(), _AAD + name.encode()).hex()
    sealed = bytes.fromhex(value.removeprefix(MARK))
    return value if sealed[:1] == bytes([keys.data_key.version]) else MARK + keys.encrypt(keys.decrypt(sealed, _AAD + name.encode()), _AAD + name.encode()).hex()


def _open(value: Any, name: str, keys: KeyRing) -> Any:
    if isinstance(value, Mapping):
        return {one: _open(inner, str(one), keys) for one, inner in value.items()}
    if isinstance(value, str) and value.startswith(MARK):
        return keys.decrypt(bytes.fromhex(value.removeprefix(MARK)), _AAD + name.encode()).decode()
    return value
