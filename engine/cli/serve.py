"""`python -m engine serve`: the web server."""
from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from engine.cli.host import Host
from engine.cli.ports import refuse_plain_entry, refuse_taken_port
from engine.kernel.settings import ROOT, Settings

LARGEST_HEAD = 65_536
"""Bytes of a request's address and headers; more is answered 431 before any of ours looks at it."""


@click.command(help="启动网页与接口服务。")
@click.option("--host", "address", help="监听地址，默认 127.0.0.1")
@click.option("--port", type=int, help="监听端口，默认 8000")
@click.option("--workers", default=1, show_default=True, help="服务进程数")
@click.option("--threads", default=4, show_default=True, help="每个进程同时处理几个请求")
@click.pass_obj
def command(host: Host, address: str | None, port: int | None, workers: int, threads: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings, HTTP2Settings
    from granian.log import LogLevels

    with host.running() as found:
        settings = replace(found, host=address or found.host, port=port or found.port)
        refuse_plain_entry(settings)
        refuse_taken_port(settings)
        hand_over(settings)
        Granian(
            "app:application", address=settings.host, port=settings.port, interface=Interfaces.WSGI, workers=workers,
            blocking_threads=threads, websockets=False, respawn_failed_workers=True, working_dir=ROOT, log_level=LogLevels.warning,
            workers_kill_timeout=15, http1_settings=HTTP1Settings(max_buffer_size=LARGEST_HEAD, header_read_timeout=15_000), http2_settings=HTTP2Settings(max_headers_size=LARGEST_HEAD),
            ssl_cert=Path(settings.tls_certificate) if settings.tls_certificate else None, ssl_key=Path(settings.tls_key) if settings.tls_key else None,
        ).serve()


def hand_over(settings: Settings) -> None:
    """Put into the environment what the worker processes read with Settings.from_environment."""
    os.environ["DATABASE_URL"] = settings.database_url
    os.environ["GUICHENG_DATA"] = str(settings.data_dir)
    os.environ.setdefault("PUBLIC_URL", settings.public_url)
