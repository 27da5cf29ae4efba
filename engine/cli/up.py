"""`python -m engine up`: what ./run starts. Database, migrations, demo city, then server, worker and clock until Ctrl-C."""
from __future__ import annotations

import fcntl
import http.client
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import click
from sqlalchemy import text

from engine.cli.host import Host
from engine.cli.ports import refuse_plain_entry, refuse_taken_port
from engine.cli.processes import Child, Children
from engine.cli.simulators import running_simulators
from engine.cli.worker import stop_on_signals
from engine.kernel.errors import GuichengError
from engine.kernel.settings import ROOT, Settings
from engine.storage import migrate
from engine.storage.database import make_engine

READY_SECONDS = 60


@click.command(help="启动整个平台：数据库、升级、演示城市、网页服务、后台任务和时钟。Ctrl-C 停止。")
@click.option("--host", "address", help="监听地址，默认 127.0.0.1；要让别的机器访问，用 0.0.0.0，IPv4 和 IPv6 都要用 ::")
@click.option("--port", type=click.IntRange(1, 65535), help="监听端口，默认 8000")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="网页服务进程数")
@click.option("--setup-only", is_flag=True, help="只准备好数据库和演示城市，不启动服务")
@click.pass_obj
def command(host: Host, address: str | None, port: int | None, workers: int, setup_only: bool) -> None:
    stop = stop_on_signals()
    settings = _with_address(host.settings(), address, port)
    with _alone(settings.data_dir):
        if not setup_only:
            refuse_plain_entry(settings)
            refuse_taken_port(settings)
        with host.running(owner=True) as running:
            settings = replace(settings, database_url=running.database_url)
            with _outside_world(settings):
                _prepare(settings)
                if setup_only:
                    click.echo("准备完毕。运行 ./run 启动平台。")
                elif not stop.is_set():
                    _serve(settings, workers, stop)


def _outside_world(settings: Settings) -> AbstractContextManager[object]:
    """In the demo city the outside systems are simulated by this process."""
    return running_simulators(settings) if settings.environment == "demo" else nullcontext()


def _with_address(settings: Settings, address: str | None, port: int | None) -> Settings:
    host, number = address or settings.host, port or settings.port
    public = os.environ.get("PUBLIC_URL", f"{'https' if settings.tls_certificate else 'http'}://{_reachable(host, brackets=True)}:{number}").rstrip("/")
    return replace(settings, host=host, port=number, public_url=public)


def _reachable(host: str, *, brackets: bool = False) -> str:
    """An address of this machine at which a server that listens on ``host`` answers; in a URL an IPv6 address stands in brackets."""
    found = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)  # noqa: S104 (names what "everywhere" is)
    return f"[{found}]" if brackets and ":" in found else found


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    with (data_dir / "up.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GuichengError(f"数据目录 {data_dir} 的平台已经在运行。先停止它，或用 --data 另选目录。", code="already_up") from None
        yield


def _prepare(settings: Settings) -> None:
    engine = make_engine(settings, application_name="guicheng-up")
    try:
        migrate.upgrade(engine)
        with engine.connect() as connection:
            empty = not connection.execute(text("SELECT EXISTS (SELECT 1 FROM unit)")).scalar_one()
    finally:
        engine.dispose()
    if settings.environment == "demo" and (empty or _half_made(settings).exists()):
        _load_demo(settings)


def _half_made(settings: Settings) -> Path:
    """Stands in the data folder while the demo city is being made; the next start finishes what was interrupted."""
    return settings.data_dir / "demo.unfinished"


def _load_demo(settings: Settings) -> None:
    click.echo("正在建立演示城市……")
    _half_made(settings).touch()
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "engine", "demo"], cwd=ROOT, env=_environment(settings), check=False)
    if done.returncode:
        raise GuichengError("演示城市没有建成，原因见上。改正后重新运行即可，已建的部分不会丢。", code="demo_failed")
    _half_made(settings).unlink()
    click.echo(f"演示城市建成，用时 {time.monotonic() - started:.0f} 秒。")


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ, "DATABASE_URL": settings.database_url, "GUICHENG_DATA": str(settings.data_dir), "HOST": settings.host,
        "PORT": str(settings.port), "PUBLIC_URL": settings.public_url, "GUICHENG_ENV": settings.environment,
        "MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1",
    }


def _serve(settings: Settings, workers: int, stop: threading.Event) -> None:
    children = Children(_children(settings, workers))
    try:
        children.start(first=1)
        if _wait_until_ready(settings, children, stop):
            _greet(settings)
        while not stop.wait(0.5):
            for fallen in children.revive():
                click.echo(f"{fallen.title}意外退出，正在重新启动。日志：{fallen.log}\n{fallen.last_words()}", err=True)
    finally:
        click.echo("正在停止……")
        children.stop()
    click.echo("已停止，数据已保存。")


def _children(settings: Settings, workers: int) -> list[Child]:
    wanted = (("web", "网页服务", ["serve", "--workers", str(workers)]), ("worker", "后台任务", ["worker"]), ("clock", "时钟", ["clock"]))
    environment = _environment(settings)
    return [
        Child(name=name, title=title, arguments=arguments, environment=environment, log=settings.data_dir / "logs" / f"{name}.log")
        for name, title, arguments in wanted
    ]


def _wait_until_ready(settings: Settings, children: Children, stop: threading.Event) -> bool:
    until = time.monotonic() + READY_SECONDS
    while not stop.wait(0.1):
        if _answers(settings):
            return True
        web = children.children[0]
        if web.fell():
            raise GuichengError(f"网页服务没有启动，日志：{web.log}\n{web.last_words()}", code="web_fell")
        if time.monotonic() > until:
            raise GuichengError(f"网页服务 {READY_SECONDS} 秒内没有应答，日志：{web.log}\n{web.last_words()}", code="web_silent")
    return False


def _answers(settings: Settings) -> bool:
    host = _reachable(settings.host)
    plain = not settings.tls_certificate
    connection = http.client.HTTPConnection(host, settings.port, timeout=10) if plain else http.client.HTTPSConnection(host, settings.port, timeout=10, context=_itself())
    try:
        connection.request("GET", urlsplit(settings.public_url).path + "/login")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _itself() -> ssl.SSLContext:
    """This process asks its own server by address: its certificate is issued to a name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _greet(settings: Settings) -> None:
    click.echo(f"\n  规程平台已启动：{settings.public_url}/\n")
    if settings.environment == "demo":
        subprocess.run([sys.executable, "-m", "engine", "demo", "--logins"], cwd=ROOT, env=_environment(settings), check=False)
    click.echo(f"  数据目录 {settings.data_dir}，日志 {settings.data_dir / 'logs'}。按 Ctrl-C 停止。\n")
