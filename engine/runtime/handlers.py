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
from types import ModuleType
from typing import Any, Literal

from engine.kernel.gm import KeyRing
from engine.kernel.sealed_config import is_sealed, read_configuration
from engine.kernel.settings import Settings

Mode = Literal["inline", "queued"]


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
    """Where an outside system answers. ``simulated`` is shown on pages as 模拟."""

    name: str
    url: str
    simulated: bool
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ConnectorFactory:
    """Makes the client of one outside system from its configuration."""

    name: str
    title: str
    make: Callable[[ConnectorConfig], Any]

    def config(self, settings: Settings) -> ConnectorConfig:
        """From ``CONNECTOR_<NAME>_URL`` or ``connectors/<name>.json`` in the data folder; empty address when unset."""
        file = settings.data_dir / "connectors" / f"{self.name}.json"
        keys = KeyRing(settings.data_dir, vault=settings.vault) if file.exists() and is_sealed(file) else None
        raw = read_configuration(file, keys) if file.exists() else {}
        url = os.environ.get(f"CONNECTOR_{self.name.upper()}_URL", raw.get("url", ""))
        return ConnectorConfig(name=self.name, url=url, simulated=bool(raw.get("simulated", False)), options=raw.get("options", {}))

    def open(self, settings: Settings) -> Any:
        return self.make(self.config(settings))


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
