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

LARGEST = 65_536


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


class _Handler(BaseHTTPRequestHandler):
    routes: Routes
    server: ThreadingHTTPServer

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def do_PUT(self) -> None:
        self._route()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: bodies may name people."""

    def _route(self) -> None:
        where = urlsplit(self.path)
        above = where.path.rpartition("/")[0] + "/"
        answer, rest = self.routes.get(f"{self.command} {where.path}"), ""
        if answer is None:
            answer, rest = self.routes.get(f"{self.command} {above}"), where.path.removeprefix(above)
        body = self._body()
        if answer is None:
            self._send(404, {"message": "没有这个接口"})
        elif body is None:
            self._send(422, {"message": "请求不是 JSON 对象"})
        else:
            base = f"http://127.0.0.1:{self.server.server_port}"
            self._send(*answer(Call(base=base, rest=rest, key=self.headers.get("Idempotency-Key", ""), query=dict(parse_qsl(where.query)), body=body)))

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
