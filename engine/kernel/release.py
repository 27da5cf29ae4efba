"""Signed programs: a manifest of every file that runs, signed with the release key; at start a changed file is named.

``release.json`` stands beside ``app.py``. The public key that is trusted lies in the data folder (``keys/release.pub``), away
from what it vouches for.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from engine.kernel.gm import sm2_public_key, sm2_sign, sm2_verify, sm3_hex

MANIFEST = "release.json"
TRUSTED = "release.pub"
FORMAT = "guicheng-release-1"
ROOMS = ("engine", "processes", "forms", "handlers", "integrations", "devices")
FILES = ("app.py", "run", "pyproject.toml", "requirements.lock", "requirements-setup.lock", "package.json", "package-lock.json")
SKIPPED = frozenset({"__pycache__", "node_modules"})
ENDINGS = (".pyc", ".pyo", ".map")


@dataclass(frozen=True, kw_only=True)
class ReleaseReport:
    """What a check found. ``signed`` is false where no manifest stands; ``problems`` are Chinese and name files."""

    signed: bool
    version: str = ""
    made_at: str = ""
    files: int = 0
    problems: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return self.signed and not self.problems


def program_files(root: Path) -> Iterator[tuple[str, Path]]:
    """(path from the root, file) of everything that runs or is shown, in order."""
    for name in FILES:
        if (root / name).is_file():
            yield name, root / name
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.is_file() and not SKIPPED & set(path.parts) and not path.name.endswith(ENDINGS):
                yield path.relative_to(root).as_posix(), path


def sign_release(root: Path, *, private: bytes, version: str, at: datetime) -> int:
    """Write the manifest; how many files it names."""
    files = {name: sm3_hex(path.read_bytes()) for name, path in program_files(root)}
    body = {"format": FORMAT, "version": version, "made_at": at.isoformat(), "files": files, "public": sm2_public_key(private).hex()}
    signature = sm2_sign(private, _signed(body)).hex()
    (root / MANIFEST).write_bytes(orjson.dumps({**body, "signature": signature}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
    return len(files)


def check_release(root: Path, *, trusted: bytes | None) -> ReleaseReport:
    """Compare every file with the manifest and the manifest with the ``trusted`` public key (65 bytes; None: none was named)."""
    file = root / MANIFEST
    if not file.exists():
        return ReleaseReport(signed=False)
    try:
        body: dict[str, Any] = orjson.loads(file.read_bytes())
        signature, public, listed = bytes.fromhex(body.pop("signature")), bytes.fromhex(body["public"]), dict(body["files"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return ReleaseReport(signed=True, problems=(f"{MANIFEST} 读不出来",))
    problems = list(_signature_problems(body, public, signature, trusted)) or list(_changed(root, listed))
    return ReleaseReport(signed=True, version=str(body.get("version", "")), made_at=str(body.get("made_at", "")), files=len(listed), problems=tuple(problems))


def _signature_problems(body: Mapping[str, Any], public: bytes, signature: bytes, trusted: bytes | None) -> Iterator[str]:
    if trusted is None:
        yield f"没有指定可信的发布公钥（数据目录 keys/{TRUSTED}），不知道是谁签的"
    elif public != trusted:
        yield f"{MANIFEST} 不是可信的发布密钥签的"
    elif not sm2_verify(public, _signed(body), signature):
        yield f"{MANIFEST} 的签名不对，清单被改动"


def _changed(root: Path, listed: Mapping[str, str]) -> Iterator[str]:
    present = dict(program_files(root))
    for name, path in present.items():
        if name not in listed:
            yield f"{name} 是发布以后加进来的"
        elif sm3_hex(path.read_bytes()) != listed[name]:
            yield f"{name} 与发布的不同"
    for name in listed:
        if name not in present:
            yield f"{name} 不见了"


def _signed(body: Mapping[str, Any]) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def trusted_key(data_dir: Path) -> bytes | None:
    """The public key whose releases this deployment trusts."""
    file = data_dir / "keys" / TRUSTED
    try:
        return bytes.fromhex(file.read_text().strip())
    except (FileNotFoundError, ValueError):
        return None
