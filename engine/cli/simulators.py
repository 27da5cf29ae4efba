"""Simulators of the outside systems, for the demo city and the benches: `python -m engine simulators`.

Every ``integrations/<system>/simulator.py`` with ``make_server(port)`` is started on loopback, and its address is written
to ``<data>/connectors/<system>.json``, where the connectors read it, with the certificates it speaks sealed envelopes with
(its own keys are in ``<data>/simulators``). A system that has been given a real address, by that file or by
``CONNECTOR_<SYSTEM>_URL``, keeps it.
"""
from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import click
import orjson

from engine.cli.host import Host
from engine.cli.worker import stop_on_signals
from engine.kernel.gm import KeyRing
from engine.kernel.gm.certificates import to_pem
from engine.kernel.gm.envelope import Peer
from engine.kernel.settings import Settings
from engine.sdk.simulating import speak_sealed


class Server(Protocol):
    """What ``make_server`` returns: an http.server or something like it."""

    server_port: int

    def serve_forever(self) -> None: ...

    def shutdown(self) -> None: ...

    def server_close(self) -> None: ...


@click.command(help="启动各外部系统的模拟器，并让平台连到它们。已配置真实地址的系统不受影响。")
@click.pass_obj
def command(host: Host) -> None:
    stop = stop_on_signals()
    with running_simulators(host.settings()) as addresses:
        for system, address in addresses.items():
            click.echo(f"{system}：{address}")
        stop.wait()


@contextmanager
def running_simulators(settings: Settings) -> Iterator[dict[str, str]]:
    """Run all simulators in threads of this process as long as the block lasts; addresses by system."""
    servers: dict[str, Server] = {}
    try:
        for system in simulated_systems(settings):
            servers[system] = _start(system, settings)
        yield {system: _address(server) for system, server in servers.items()}
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()


def simulated_systems(settings: Settings) -> list[str]:
    """Names of the systems that have a simulator and no real address."""
    found = sorted(path.parent.name for path in (settings.content_root / "integrations").glob("*/simulator.py"))
    return [system for system in found if not _is_real(system, settings)]


def _is_real(system: str, settings: Settings) -> bool:
    if os.environ.get(f"CONNECTOR_{system.upper()}_URL"):
        return True
    config = _read(_config_file(system, settings))
    return bool(config.get("url")) and not config.get("simulated", False)


def _start(system: str, settings: Settings) -> Server:
    make_server: Any = import_module(f"integrations.{system}.simulator").make_server
    file = _config_file(system, settings)
    config = _read(file)
    server = _at_same_port(make_server, config.get("port", 0))
    sealed = _speak_sealed(system, server, settings)
    threading.Thread(target=server.serve_forever, name=f"simulator-{system}", daemon=True).start()
    _write(file, {**config, **sealed, "url": _address(server), "simulated": True, "port": server.server_port})
    return server


def _speak_sealed(system: str, server: Server, settings: Settings) -> dict[str, str]:
    """Let a simulator of JSON over HTTP speak envelopes with this deployment; what the connector's configuration says of it."""
    if not hasattr(getattr(server, "RequestHandlerClass", None), "sealed"):
        return {}
    ours, theirs = KeyRing(settings.data_dir, vault=settings.vault).identity, KeyRing(settings.data_dir / "simulators" / system).identity
    speak_sealed(server, own=theirs, peer=Peer(signing=ours.signing, sealing=ours.sealing))  # type: ignore[arg-type]
    file = settings.data_dir / "connectors" / f"{system}.peer.pem"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(to_pem(theirs.signing, "CERTIFICATE") + to_pem(theirs.sealing, "CERTIFICATE"))
    return {"peer": file.name}


def _at_same_port(make_server: Any, port: int) -> Server:
    try:
        server: Server = make_server(port)
    except OSError:
        server = make_server(0)
    return server


def _address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def _config_file(system: str, settings: Settings) -> Path:
    return settings.data_dir / "connectors" / f"{system}.json"


def _read(file: Path) -> dict[str, Any]:
    return dict(orjson.loads(file.read_bytes())) if file.exists() else {}


def _write(file: Path, config: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))
    partial.replace(file)
