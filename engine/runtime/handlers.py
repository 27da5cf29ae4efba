"""What a registered Python function is to a diagram: a service task, a connector, a device.

Decorators only mark; the loader collects what it finds in handlers/, integrations/ and devices/, and the
registry closes after start. The name comes from the module's path: handlers/<pack>/<topic>.py gives
``<pack>.<function>``. Parameters and help offered to the diagram editor are read from signature and docstring.
"""
from __future__ import annotations

import inspect
import os
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

from engine.kernel.errors import Invalid
from engine.kernel.gm import KeyRing
from engine.kernel.gm.certificates import certificates_in
from engine.kernel.gm.envelope import Identity, Peer, read_peer
from engine.kernel.sealed_config import is_sealed, read_configuration
from engine.kernel.settings import Settings

Mode = Literal["inline", "queued"]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One keyword of a handler, as the diagram editor shows it."""

    name: str
    type: str
    required: bool
    default: Any = None


@dataclass(frozen=True, kw_only=True)
class ServiceTask:
    """A handler that a diagram may name in ``gc:handler``."""

    name: str
    title: str
    help: str
    mode: Mode
    reversible: bool
    pure: bool
    function: Callable[..., Mapping[str, Any] | None]
    parameters: tuple[Parameter, ...]

    def missing(self, given: set[str]) -> list[str]:
        """Names of required parameters that ``given`` lacks."""
        return [p.name for p in self.parameters if p.required and p.name not in given]

    def unknown(self, given: set[str]) -> list[str]:
        """Names in ``given`` that the handler doesn't take."""
        return sorted(given - {p.name for p in self.parameters})


@dataclass(frozen=True, kw_only=True)
class _Mark:
    title: str
    help: str
    mode: Mode
    reversible: bool
    pure: bool


def service_task(*, title: str, help: str = "", mode: Mode = "queued", reversible: bool = True, pure: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as a service task.

    ``inline`` only for pure, bounded Python that touches nothing outside the database: it runs in the officer's
    transaction. ``queued`` runs afterwards as a job and may call outside; it must be idempotent for one
    ``context.effect_key``. ``reversible=False`` forbids 撤回 once it has run. ``pure=True`` says that an inline handler
    only computes: it also runs when an officer looks ahead to who comes next.
    """

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__service_task__ = _Mark(title=title, help=help, mode=mode, reversible=reversible, pure=pure)  # type: ignore[attr-defined]
        return function

    return mark


def service_tasks_in(module: ModuleType, pack: str) -> list[ServiceTask]:
    """Every marked function that ``module`` itself defines."""
    found = []
    for name, function in vars(module).items():
        mark = getattr(function, "__service_task__", None)
        if mark is not None and function.__module__ == module.__name__:
            found.append(
                ServiceTask(
                    name=f"{pack}.{name}", title=mark.title, help=mark.help or inspect.getdoc(function) or "", mode=mark.mode,
                    reversible=mark.reversible, pure=mark.pure, function=function, parameters=_parameters(function),
                )
            )
    return found


def _parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    hints = typing.get_type_hints(function)
    return tuple(
        Parameter(
            name=p.name, type=getattr(hints.get(p.name, str), "__name__", str(hints.get(p.name))), required=p.default is p.empty,
            default=None if p.default is p.empty else p.default,
        )
        for p in inspect.signature(function).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    )


@dataclass(frozen=True, kw_only=True)
class ConnectorConfig:
    """Where an outside system answers. ``simulated`` is shown on pages as 模拟.

    With a ``peer`` what is said travels in sealed envelopes between ``own`` and it; with ``gm_roots`` over TLS of the national
    algorithms, to a certificate of ``gm_name`` (the address's host by default).
    """

    name: str
    url: str
    simulated: bool
    options: Mapping[str, Any] = field(default_factory=dict)
    own: Identity | None = None
    peer: Peer | None = None
    gm_roots: tuple[bytes, ...] = ()
    gm_name: str = ""


@dataclass(frozen=True, kw_only=True)
class ConnectorFactory:
    """Makes the client of one outside system from its configuration."""

    name: str
    title: str
    make: Callable[[ConnectorConfig], Any]

    def config(self, settings: Settings) -> ConnectorConfig:
        """From ``CONNECTOR_<NAME>_URL`` or ``connectors/<name>.json`` in the data folder; empty address when unset.

        ``peer`` and ``gm_roots`` there name PEM files beside it. Raises Invalid when they can't be used.
        """
        folder = settings.data_dir / "connectors"
        file = folder / f"{self.name}.json"
        raw: Mapping[str, Any] = {}
        keys = None
        if file.exists():
            keys = KeyRing(settings.data_dir, vault=settings.vault) if is_sealed(file) else None
            raw = read_configuration(file, keys)
        url = os.environ.get(f"CONNECTOR_{self.name.upper()}_URL", raw.get("url", ""))
        more: dict[str, Any] = {}
        if raw.get("peer"):
            more["peer"] = _read(folder, str(raw["peer"]), read_peer)
            more["own"] = (keys or KeyRing(settings.data_dir, vault=settings.vault)).identity
        if raw.get("gm_roots"):
            more["gm_roots"] = _read(folder, str(raw["gm_roots"]), certificates_in)
        return ConnectorConfig(
            name=self.name, url=url, simulated=bool(raw.get("simulated", False)), options=raw.get("options", {}), gm_name=str(raw.get("gm_name", "")), **more,
        )

    def open(self, settings: Settings) -> Any:
        return self.make(self.config(settings))


def _read(folder: Path, name: str, read: Callable[[bytes], T]) -> T:
    """What a PEM file beside a connector's configuration holds; raises Invalid."""
    try:
        return read((folder / Path(name).name).read_bytes())
    except (OSError, ValueError) as problem:
        raise Invalid(f"连接器的证书文件 {name} 用不了：{problem}") from None


def connector(*, title: str) -> Callable[[Callable[[ConnectorConfig], Any]], Callable[[ConnectorConfig], Any]]:
    """Mark the class or function in integrations/<system>/client.py that makes its client from a ConnectorConfig."""

    def mark(make: Callable[[ConnectorConfig], Any]) -> Callable[[ConnectorConfig], Any]:
        make.__connector__ = title  # type: ignore[attr-defined]
        return make

    return mark


def connectors_in(module: ModuleType, name: str) -> list[ConnectorFactory]:
    """The marked client factory of ``module``; at most one is expected."""
    return [
        ConnectorFactory(name=name, title=made.__connector__, make=made)
        for made in vars(module).values()
        if getattr(made, "__connector__", None) and getattr(made, "__module__", "") == module.__name__
    ]
