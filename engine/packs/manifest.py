"""pack.yaml as a typed value."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from engine.kernel.errors import DeployRefused
from engine.kernel.names import qualify
from engine.packs.yaml import read_yaml


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of case. ``states`` maps code to Chinese title; the first is where a case begins.

    Whoever does a step of the role ``handler`` becomes the case's 承办人. ``state_field`` of the register follows the state.
    """

    name: str
    title: str
    states: Mapping[str, str]
    register: str | None = None
    number: str | None = None
    handler: str | None = None
    closed: frozenset[str] = frozenset()
    state_field: str | None = None


@dataclass(frozen=True, kw_only=True)
class NumberRule:
    """How a number reads: ``{unit}`` 机关代字, ``{year}``, ``{seq:04}``; counted per unit or per district bureau."""

    name: str
    title: str
    pattern: str
    per: str = "district"


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role and the post that holds it unless an administrator says otherwise.

    A role of kind ``party`` is nobody's post: its steps are done from outside, by the party that ``gc:party`` names.
    """

    name: str
    title: str
    post: str = ""
    unit: str = ""
    scope: str = "own"
    kind: str = "post"
    bureau: str | None = None
    also: tuple[Role, ...] = ()
    """Further posts that hold it, each with its own unit, scope and bureau."""

    @property
    def job(self) -> tuple[str, str, str]:
        """(post, kind of unit, scope): two roles with one job are held by the same people."""
        return self.post, self.unit, self.scope


@dataclass(frozen=True, kw_only=True)
class Start:
    """A process that an officer with ``role`` may start; it opens a case of ``kind``."""

    process: str
    title: str
    role: str
    kind: str
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class Matter:
    """A process that runs beside others on a case of one of ``kinds`` in one of ``states`` (empty: any open one)."""

    process: str
    title: str
    role: str
    kinds: tuple[str, ...]
    states: tuple[str, ...] = ()
    help: str = ""
    once: bool = True


@dataclass(frozen=True, kw_only=True)
class Begin:
    """A process that begins by itself on every case of ``kind`` that another process opens (``gc.open_case``)."""

    process: str
    title: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What is fetched from (``way`` in) or given to (out) an outside ``system`` every so many minutes.

    An item that comes begins the process of ``message``, or is kept in ``register`` under the field ``key``; ``adds`` joins its data. Out go
    the ``fields`` of the records of ``register`` that changed and fulfil ``where``. Items are kept for ``keep`` days. A ``sealed`` one leaves this machine in envelopes only.
    """

    name: str
    title: str
    system: str
    way: str
    feed: str
    every: int
    message: str | None = None
    register: str | None = None
    key: str | None = None
    adds: Mapping[str, Any] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    where: Mapping[str, Any] | None = None
    sealed: bool = False
    keep: int = 1095


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What pack.yaml says, every reference qualified as ``<pack>.<name>``."""

    name: str
    title: str
    system: str = ""
    owner: str = ""
    law: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    connects: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    numbers: Mapping[str, NumberRule] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    starts: Mapping[str, Start] = field(default_factory=dict)
    matters: Mapping[str, Matter] = field(default_factory=dict)
    begins: Mapping[str, Begin] = field(default_factory=dict)
    exchanges: Mapping[str, Exchange] = field(default_factory=dict)
    requirements: Mapping[str, str] = field(default_factory=dict)
    exempt: Mapping[str, str] = field(default_factory=dict)


@cache
def _validator() -> Any:
    schema = orjson.loads((Path(__file__).parent / "manifest.schema.json").read_bytes())
    return jsonschema_rs.Draft202012Validator(schema)


def parse_manifest(content: bytes, *, pack: str) -> Manifest:
    """The manifest of ``pack``; raises DeployRefused with one finding per wrong key."""
    raw = read_yaml(content, file=f"processes/{pack}/pack.yaml")
    findings = [
        {"element": "/".join(str(p) for p in error.instance_path) or "pack.yaml", "rule": "manifest", "message": error.message}
        for error in _validator().iter_errors(raw)
    ]
    if findings:
        raise DeployRefused(f"processes/{pack}/pack.yaml 有 {len(findings)} 处不合要求。", findings=findings)
    return _build(raw, pack)


def _build(raw: Mapping[str, Any], pack: str) -> Manifest:
    def each(section: str, make: Any) -> dict[str, Any]:
        return {qualify(name, pack): make(qualify(name, pack), value) for name, value in raw.get(section, {}).items()}

    return Manifest(
        name=pack,
        title=raw["title"],
        system=raw.get("system", ""),
        owner=raw.get("owner", ""),
        law=tuple(raw.get("law", ())),
        uses=tuple(raw.get("uses", ())),
        connects=tuple(raw.get("connects", ())),
        devices=tuple(raw.get("devices", ())),
        kinds=each("kinds", lambda name, v: _kind(name, v, pack)),
        numbers=each("numbers", lambda name, v: NumberRule(name=name, **v)),
        roles=each("roles", lambda name, v: _role(name, v)),
        starts=each("starts", lambda name, v: _start(name, v, pack)),
        matters=each("matters", lambda name, v: _matter(name, v, pack)),
        begins=each("begins", lambda name, v: Begin(process=name, title=v["title"], kind=qualify(v["kind"], pack))),
        exchanges=each("exchanges", lambda name, v: _exchange(name, v, pack)),
        requirements=raw.get("requirements", {}),
        exempt=raw.get("exempt", {}),
    )


def _kind(name: str, value: Mapping[str, Any], pack: str) -> Kind:
    return Kind(
        name=name,
        title=value["title"],
        states=value["states"],
        register=qualify(value["register"], pack) if "register" in value else None,
        number=qualify(value["number"], pack) if "number" in value else None,
        handler=qualify(value["handler"], pack) if "handler" in value else None,
        closed=frozenset(value.get("closed", ())),
        state_field=value.get("state_field"),
    )


def _exchange(name: str, value: Mapping[str, Any], pack: str) -> Exchange:
    register = {"register": qualify(value["register"], pack)} if "register" in value else {}
    return Exchange(name=name, **{**value, **register, "fields": tuple(value.get("fields", ()))})


def _role(name: str, value: Mapping[str, Any]) -> Role:
    further = tuple(Role(name=name, title=value["title"], **{"bureau": value.get("bureau"), **one}) for one in value.get("also", ()))
    return Role(name=name, **{**value, "also": further})


def _start(name: str, value: Mapping[str, Any], pack: str) -> Start:
    return Start(process=name, title=value["title"], role=qualify(value["role"], pack), kind=qualify(value["kind"], pack), help=value.get("help", ""))


def _matter(name: str, value: Mapping[str, Any], pack: str) -> Matter:
    return Matter(
        process=name,
        title=value["title"],
        role=qualify(value["role"], pack),
        kinds=tuple(qualify(kind, pack) for kind in value["kinds"]),
        states=tuple(value.get("states", ())),
        help=value.get("help", ""),
        once=value.get("once", True),
    )
