"""Lines to outside systems: HTTPS, TLS with the national algorithms, and sealed envelopes over either.

Nothing of the platform's goes over a plain line that leaves this machine; a redirection is an answer like any other, never followed.
"""
from __future__ import annotations

import http.client
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from engine.kernel.clock import Clock
from engine.kernel.errors import TryAgain
from engine.kernel.gm.envelope import EnvelopeBroken, Identity, Nonces, Peer, seal, unseal
from engine.kernel.gm.provider import ProviderUnavailable
from engine.kernel.gm.tls import GmContext
from engine.kernel.loopback import is_loopback
from engine.runtime.handlers import ConnectorConfig

SEALED_PATH = "/sealed"
_NONCES = Nonces()


class Line(Protocol):
    """``send`` gives (status, answer); what went wrong on the way is OSError, http.client.HTTPException or ValueError."""

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]: ...


def open_line(config: ConnectorConfig, *, title: str, seconds: float, largest: int) -> Line:
    """The line that the configuration of a connector asks for; raises TryAgain when it would go over a plain line to another machine."""
    where = urlsplit(config.url)
    local = is_loopback(where.hostname or "")
    if where.scheme not in ("http", "https") or (where.scheme == "http" and not local and config.peer is None):
        raise TryAgain(f"{title}的地址不是 https：重要数据不走明文。请改用 https 地址，或给连接器配置对方证书（peer）走加密信封。")
    line: Line = GmLine(config, seconds, largest) if config.gm_roots else HttpLine(config.url, seconds, largest)
    return SealedLine(line, own=config.own, peer=config.peer) if config.peer is not None and config.own is not None else line


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given: Any, **more: Any) -> None:
        return None


class HttpLine:
    """HTTPS with a certificate that the system trusts, or HTTP on loopback."""

    def __init__(self, url: str, seconds: float, largest: int) -> None:
        self._url, self._seconds, self._largest = url.rstrip("/"), seconds, largest
        self._opener = urllib.request.build_opener(_Stay)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        request = urllib.request.Request(self._url + path, data=body, method=method, headers=dict(headers))  # noqa: S310 - https, or http on loopback
        try:
            with self._opener.open(request, timeout=self._seconds) as response:
                return response.status, response.read(self._largest)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(self._largest)


class GmLine:
    """HTTP over TLS 1.3 with SM2, SM3 and SM4; the other side's certificate is issued by ``gm_roots`` to the host of the address, or to ``gm_name``."""

    def __init__(self, config: ConnectorConfig, seconds: float, largest: int) -> None:
        where = urlsplit(config.url)
        self._host, self._port, self._base = where.hostname or "", where.port or 443, where.path.rstrip("/")
        self._name, self._roots, self._seconds, self._largest = config.gm_name or self._host, config.gm_roots, seconds, largest

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        asking = http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)
        try:
            secure = GmContext().wrap(socket.create_connection((self._host, self._port), timeout=self._seconds))
        except ProviderUnavailable as problem:
            raise ValueError(str(problem)) from None
        asking.sock = secure
        try:
            secure.require_peer(roots=self._roots, name=self._name, at=_now())
            asking.request(method, self._base + path, body=body, headers={**headers, "Connection": "close"})
            response = asking.getresponse()
            return response.status, response.read(self._largest)
        finally:
            secure.close()


class SealedLine:
    """Method, address, token and body travel in an envelope to ``POST /sealed``; so does the answer, bound to the question."""

    def __init__(self, line: Line, *, own: Identity, peer: Peer) -> None:
        self._line, self._own, self._peer = line, own, peer

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        asked = {"method": method, "path": path, "headers": dict(headers), "body": (body or b"").decode()}
        question = seal(self._own, self._peer, _dump(asked), about="request", at=_now())
        status, raw = self._line.send("POST", SEALED_PATH, {"Content-Type": "application/json"}, _dump(question))
        if status != 200:
            raise http.client.HTTPException(f"加密信封没有被接收（{status}）")
        opened = unseal(self._own, self._peer, _mapping(raw), about="answer", answers=question["nonce"], at=_now(), first=_NONCES.first)
        answer = _mapping(opened.body)
        return int(answer["status"]), str(answer["body"]).encode()


def _mapping(raw: bytes) -> dict[str, Any]:
    found = json.loads(raw)
    if not isinstance(found, dict):
        raise EnvelopeBroken("不是加密信封")
    return found


def _dump(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _now() -> datetime:
    return Clock().now()
