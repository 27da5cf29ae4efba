"""`python -m engine gm-gateway`: the one encrypted entry, TLS 1.3 with SM2, SM3 and SM4 (RFC 8998), before the web server on loopback.

Each connection carries one request: its head is read, what it claims about where it comes from is struck out and the
truth written in, and the rest goes on as it is. The web server believes it by ``GUICHENG_PROXIES=127.0.0.1``.
"""
from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import click

from engine.cli.host import Host
from engine.cli.worker import stop_on_signals
from engine.kernel.clock import Clock
from engine.kernel.errors import Invalid
from engine.kernel.gm import KeyRing, sm2_generate
from engine.kernel.gm.certificates import to_pem
from engine.kernel.gm.encoding import private_key_info
from engine.kernel.gm.tls import GmContext

HEAD, SECONDS, MOST = 65_536, 60, 256
STRUCK = re.compile(rb"(?im)^(x-forwarded-[a-z]+|forwarded|connection|proxy-[a-z]+)[ \t]*:.*\r\n")
CROOKED = re.compile(rb"(?<!\r)\n|\r(?!\n)|\0|\r\n[ \t]")
REFUSED = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
AWAY = b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Stream(Protocol):
    """A socket, or one under TLS."""

    def recv(self, most: int) -> bytes: ...

    def sendall(self, data: bytes) -> None: ...


@click.command(help="国密 HTTPS 入口（TLS 1.3，TLS_SM4_GCM_SM3，RFC 8998），转给本机的网页服务。平台要设 GUICHENG_PROXIES=127.0.0.1、PUBLIC_URL=https://…。")
@click.option("--listen", default="0.0.0.0:8443", show_default=True, help="监听地址:端口")
@click.option("--to", "backend", default="127.0.0.1:8000", show_default=True, help="网页服务的地址:端口，只能在本机")
@click.option("--certificate", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="SM2 证书（PEM，可带上级证书）；不写就由本平台的根证书签发一张演示的")
@click.option("--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="与证书成对的 SM2 私钥（PEM）")
@click.option("--name", default="localhost", show_default=True, help="演示证书里的名称")
@click.pass_obj
def command(host: Host, listen: str, backend: str, certificate: Path | None, key: Path | None, name: str) -> None:
    if (certificate is None) != (key is None):
        raise Invalid("证书和私钥要一起给。")
    pair = (certificate, key) if certificate and key else _own_certificate(host.settings().data_dir, name)
    stop = stop_on_signals()
    with Gateway(listen=_address(listen), backend=_address(backend), context=GmContext(certificate=pair[0], key=pair[1])) as gateway:
        click.echo(f"国密 HTTPS 入口在 {listen}，转给 {backend}。Ctrl-C 停止。")
        threading.Thread(target=gateway.serve, daemon=True).start()
        stop.wait()


class Gateway:
    """``serve`` takes connections until the block ends; at most MOST at a time, others wait in the queue of the socket."""

    def __init__(self, *, listen: tuple[str, int], backend: tuple[str, int], context: GmContext) -> None:
        self._listener = socket.create_server(listen, backlog=MOST)
        self._backend, self._context, self._room = backend, context, threading.Semaphore(MOST)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def serve(self) -> None:
        while True:
            self._room.acquire()
            try:
                line, where = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(line, where[0]), daemon=True).start()

    def _carry(self, line: socket.socket, source: str) -> None:
        try:
            line.settimeout(SECONDS)
            secure = self._context.wrap(line)
            try:
                self._one_request(secure, source)
            finally:
                secure.close()
        except OSError:
            line.close()
        finally:
            self._room.release()

    def _one_request(self, secure: Stream, source: str) -> None:
        head, rest = _read_head(secure)
        if not head:
            secure.sendall(REFUSED) if rest else None
            return
        try:
            inner = socket.create_connection(self._backend, timeout=SECONDS)
        except OSError:
            secure.sendall(AWAY)
            return
        with inner:
            inner.sendall(forwarded(head, source) + rest)
            threading.Thread(target=_pour, args=(secure, inner), daemon=True).start()
            _pour(inner, secure)
            with contextlib.suppress(OSError):
                inner.shutdown(socket.SHUT_RDWR)


def forwarded(head: bytes, source: str) -> bytes:
    """A request's head with the truth about where it comes from, for one request on a connection."""
    first, _, fields = head.partition(b"\r\n")
    told = f"X-Forwarded-For: {source}\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n".encode()
    return first + b"\r\n" + told + STRUCK.sub(b"", fields)


def _read_head(line: Stream) -> tuple[bytes, bytes]:
    """(head with its empty line, what came behind it); no head when the other side left, or it is too large or crooked (then something is behind)."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = line.recv(16_384)
        data += more
        if not more:
            return b"", b""
        if len(data) > HEAD:
            return b"", data
    head, _, rest = data.partition(b"\r\n\r\n")
    if CROOKED.search(head):
        return b"", data
    return head + b"\r\n\r\n", rest


def _pour(source: Stream, target: Stream) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(16_384):
            target.sendall(data)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise Invalid("地址写成 主机:端口，例如 0.0.0.0:8443。")
    return host.strip("[]"), int(port)


def _own_certificate(data_dir: Path, name: str) -> tuple[Path, Path]:
    """A certificate for ``name`` from the platform's own authority, for demonstrations; made once per name."""
    folder = data_dir / "gateway"
    folder.mkdir(mode=0o700, exist_ok=True)
    certificate, key = folder / f"{Path(name).name}.pem", folder / f"{Path(name).name}.key"
    if not certificate.exists():
        at: datetime = Clock().now().astimezone(UTC)
        pair = sm2_generate()
        leaf = KeyRing(data_dir).issue_certificate(public=pair.public, name=name, organisation="规程平台", valid_from=at - timedelta(days=1), valid_until=at + timedelta(days=365))
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(to_pem(private_key_info(pair.private, pair.public), "PRIVATE KEY"))
        certificate.write_text(to_pem(leaf, "CERTIFICATE"))
    return certificate, key
