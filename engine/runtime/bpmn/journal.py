"""What an act did to an instance, kept so that anybody can do it again: the state it began from, each call, the state it ended in.

Ids of new tokens come from a seed that is kept with the calls, so doing the same calls again gives the same state, byte for
byte. ``Machine`` is wrapped as a whole: every public method that isn't named in READING is a call to be kept.
"""
from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from engine.kernel.gm import sm3, sm3_hex
from engine.kernel.packing import PLAIN

READING = frozenset({"dump", "waits", "places", "facts", "wait_attributes", "check_invariants", "tokens", "items", "item_facts", "scopes"})
LOAD = "load"
_seed: ContextVar[str] = ContextVar("guicheng_seed", default="")
C = TypeVar("C", bound=type)
Call = list[Any]


class Unrepeatable(ValueError):
    """A call had an argument that can't be written down."""


class Ids:
    """Ids of tokens in the order they are made."""

    def __init__(self) -> None:
        self.seed = _seed.get() or secrets.token_hex(12)
        self._count = 0

    def next(self) -> UUID:
        self._count += 1
        return UUID(bytes=sm3(f"{self.seed}:{self._count}".encode())[:16], version=4)


class Journal:
    """The calls of one machine in memory, from its making to the commit of its act."""

    def __init__(self, process: str, seed: str, base: str | None, first: Call | None) -> None:
        self.process, self.seed, self.base = process, seed, base
        self.calls: list[Call] = [] if first is None else [first]
        self.depth = 0

    def entry(self, state: bytes) -> dict[str, Any]:
        """What is kept with the act that left the instance in ``state``."""
        return {"process": self.process, "base": self.base, "seed": self.seed, "calls": self.calls, "end": state_digest(state)}


def state_digest(state: bytes) -> str:
    """SM3 in hex of a dumped state, independent of how it was compressed."""
    return sm3_hex(PLAIN.unpack(state))


def journaled(cls: C) -> C:
    """Let ``cls`` (Machine) keep a journal of itself."""
    for name, member in list(vars(cls).items()):
        if name.startswith("_") or name in READING:
            continue
        if isinstance(member, classmethod):
            setattr(cls, name, classmethod(_making(name, member.__func__)))
        elif callable(member):
            setattr(cls, name, _moving(name, member))
    return cls


def _making(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(make)
    def made(cls: Any, process: Any, *args: Any, seed: str = "", **kwargs: Any) -> Any:
        token = _seed.set(seed)
        try:
            machine = make(cls, process, *args, **kwargs)
        finally:
            _seed.reset(token)
        base = state_digest(args[0]) if name == LOAD else None
        first = None if name == LOAD else [name, _encoded(args), {key: encode(value) for key, value in kwargs.items() if key != "decide"}]
        machine.journal = Journal(process.name, machine._top.ids.seed, base, first)
        return machine

    return made


def _moving(name: str, move: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(move)
    def moved(self: Any, *args: Any, **kwargs: Any) -> Any:
        journal: Journal = self.journal
        if journal.depth:
            return move(self, *args, **kwargs)
        call: Call = [name, _encoded(args), {key: encode(value) for key, value in kwargs.items()}]
        journal.calls.append(call)
        journal.depth += 1
        try:
            return move(self, *args, **kwargs)
        except Exception:
            journal.calls.remove(call)
            raise
        finally:
            journal.depth -= 1

    return moved


def _encoded(args: tuple[Any, ...]) -> list[Any]:
    return [encode(value) for value in args]


def encode(value: Any) -> Any:
    """``value`` as JSON that ``decode`` gives back with its type; what has none becomes a mark that can't be done again."""
    match value:
        case None | bool() | int() | str():
            return value
        case Mapping():
            return {"$map": [[encode(key), encode(item)] for key, item in value.items()]}
        case list():
            return [encode(item) for item in value]
        case tuple() | set() | frozenset():
            return [encode(item) for item in value]
        case datetime() | date() | time():
            return {"$" + type(value).__name__: value.isoformat()}
        case timedelta():
            return {"$seconds": str(Decimal(value.days) * 86_400 + value.seconds + Decimal(value.microseconds) / 1_000_000)}
        case float() | Decimal() | UUID():
            return {"$" + type(value).__name__: str(value)}
    return {"$other": type(value).__name__}


_TYPES: dict[str, Callable[[str], Any]] = {
    "$datetime": datetime.fromisoformat, "$date": date.fromisoformat, "$time": time.fromisoformat, "$float": float, "$Decimal": Decimal, "$UUID": UUID,
    "$seconds": lambda text: timedelta(seconds=float(text)),
}


def decode(value: Any) -> Any:
    """The value that ``encode`` wrote; raises Unrepeatable."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise Unrepeatable("办理记录里有读不懂的值")
    (kind, inner), = value.items()
    if kind == "$map":
        return {decode(key): decode(item) for key, item in inner}
    if kind not in _TYPES:
        raise Unrepeatable(f"办理记录里有不能重现的值（{inner}）")
    return _TYPES[kind](inner)
