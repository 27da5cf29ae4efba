"""The other side of an outside system, for its simulator: a real server on loopback that speaks JSON over HTTP."""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from engine.kernel.clock import Clock
from engine.kernel.gm.envelope import EnvelopeBroken, Identity, Nonces, Peer, seal, unseal

LARGEST = 262_144


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. ``rest`` is what follows a route that ends with "/"; ``key`` the Idempotency-Key; ``base`` the server's address."""

    base: str
    rest: str = ""
    key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)


Answer = tuple[int, dict[str, Any] | str]
"""The status, and an object for JSON or a text for HTML."""
Routes = Mapping[str, Callable[[Call], Answer]]
"""{"POST /links": what answers it}; a path that ends with "/" answers everything below it."""


def make_json_server(routes: Routes, *, port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it, each call in a thread of its own."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"routes": routes}))


def speak_sealed(server: ThreadingHTTPServer, *, own: Identity, peer: Peer) -> None:
    """Let a server of ``make_json_server`` take envelopes of ``peer`` at ``POST /sealed`` too, and answer them in envelopes."""
    handler: Any = server.RequestHandlerClass
    handler.sealed, handler.nonces = (own, peer), Nonces()


def behaviour(state: Any, modes: tuple[str, ...]) -> Callable[[Call], Answer]:
    """The route ``PUT /simulator/behaviour``: {"mode": one of ``modes``} sets ``state.mode``, how the next calls go."""
    def change(call: Call) -> Answer:
        mode = call.body.get("mode")
        if mode not in modes:
            return 422, {"message": f"mode 应是 {'、'.join(modes)} 之一"}
        state.mode = mode
        return 200, {"mode": mode}

    return change


def run(make_server: Callable[[int], ThreadingHTTPServer], *, title: str, port: int) -> None:
    """The simulator as a program of its own: ``--port``, until Ctrl-C."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--port", type=int, default=port)
    server = make_server(parser.parse_args().port)
    sys.stdout.write(f"{title}在 http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _find(routes: Routes, method: str, path: str) -> tuple[Callable[[Call], Answer], str] | None:
    """What answers, and what follows its route."""
    where = urlsplit(path).path
    above = where.rpartition("/")[0] + "/"
    answer = routes.get(f"{method} {where}")
    if answer is not None:
        return answer, ""
    answer = routes.get(f"{method} {above}")
    return None if answer is None else (answer, where.removeprefix(above))


class _Handler(BaseHTTPRequestHandler):
    routes: Routes
    server: ThreadingHTTPServer
    sealed: tuple[Identity, Peer] | None = None
    nonces: Nonces

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def do_PUT(self) -> None:
        self._route()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: bodies may name people."""

    def _route(self) -> None:
        body = self._body()
        if body is not None and self.sealed and self.path == "/sealed":
            self._send(*self._opened(*self.sealed, body))
        elif body is None and _find(self.routes, self.command, self.path) is not None:
            self._send(422, {"message": "请求不是 JSON 对象"})
        else:
            self._send(*self._answer(self.command, self.path, self.headers.get("Idempotency-Key", ""), body or {}))

    def _opened(self, own: Identity, peer: Peer, given: dict[str, Any]) -> Answer:
        """The answer to what is in an envelope, in an envelope."""
        try:
            opened = unseal(own, peer, given, about="request", at=Clock().now(), first=self.nonces.first)
            asked = json.loads(opened.body)
            answer = self._answer(str(asked["method"]), str(asked["path"]), str(asked["headers"].get("Idempotency-Key", "")), json.loads(asked["body"] or "{}"))
        except (EnvelopeBroken, KeyError, ValueError) as problem:
            return 400, {"message": str(problem)}
        told = {"status": answer[0], "body": answer[1] if isinstance(answer[1], str) else json.dumps(answer[1], ensure_ascii=False)}
        return 200, dict(seal(own, peer, json.dumps(told, ensure_ascii=False).encode(), about="answer", answers=opened.nonce, at=Clock().now()))

    def _answer(self, method: str, path: str, key: str, body: dict[str, Any]) -> Answer:
        where, found = urlsplit(path), _find(self.routes, method, path)
        if found is None:
            return 404, {"message": "没有这个接口"}
        base = f"http://127.0.0.1:{self.server.server_port}"
        return found[0](Call(base=base, rest=found[1], key=key, query=dict(parse_qsl(where.query)), body=body))

    def _body(self) -> dict[str, Any] | None:
        """The object that was sent, {} without one; None for what is none."""
        try:
            raw = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST))
            found = json.loads(raw) if raw else {}
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _send(self, status: int, answer: dict[str, Any] | str) -> None:
        kind, text = ("text/html", answer) if isinstance(answer, str) else ("application/json", json.dumps(answer, ensure_ascii=False))
        data = text.encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:
            return  # whoever asked did not wait
