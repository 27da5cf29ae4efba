"""A real-name check as a server of its own.

    python -m integrations.real_name.simulator --port 8096

POST /people          {"name", "identifier_kind", "identifier", "phone"} → {"number", "hint"}; the hint shows the code that a telephone would get
POST /people/confirm  {"number", "code"} → {"passed", "reason", "receipt"}; wrong code: not passed; names with 不符: never passed
POST /enterprises     {"name", "identifier", "organisation", "credit_code"} → the same; passed when the name stands in KNOWN for the code, or the code isn't known
"""
from __future__ import annotations

import argparse
import json
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KNOWN = {"91310199MA00003179": "麦小满"}
"""Enterprises of the demo city and who represents them; others are represented by nobody but themselves."""


class Checks:
    """The checks that have begun."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[dict[str, Any], str]] = {}

    def begin(self, sent: dict[str, Any]) -> dict[str, Any]:
        number, code = secrets.token_hex(8), f"{secrets.randbelow(1_000_000):06}"
        self._open[number] = (sent, code)
        return {"number": number, "hint": f"模拟：手机 {str(sent.get('phone', ''))[-4:]} 收到的验证码是 {code}"}

    def confirm(self, sent: dict[str, Any]) -> dict[str, Any]:
        person, code = self._open.get(str(sent.get("number")), ({}, ""))
        if not code or sent.get("code") != code:
            return {"passed": False, "reason": "验证码不对，请重新输入"}
        if "不符" in str(person.get("name")):
            return {"passed": False, "reason": "姓名和证件号对不上"}
        del self._open[str(sent["number"])]
        return {"passed": True, "receipt": f"SM{sent['number']}"}

    def represents(self, sent: dict[str, Any]) -> dict[str, Any]:
        if KNOWN.get(str(sent.get("credit_code"))) == sent.get("name"):
            return {"passed": True, "receipt": f"QY{secrets.token_hex(6)}"}
        return {"passed": False, "reason": "登记的法定代表人不是您"}


class Handler(BaseHTTPRequestHandler):
    """The three endpoints."""

    checks: Checks

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        calls = {"/people": self.checks.begin, "/people/confirm": self.checks.confirm, "/enterprises": self.checks.represents}
        call = calls.get(self.path)
        status, body = (200, call(sent)) if call else (404, {"message": "没有这个接口"})
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one."""
    handler = type("CheckHandler", (Handler,), {"checks": Checks()})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main() -> None:
    parser = argparse.ArgumentParser(description="实名核验模拟器")
    parser.add_argument("--port", type=int, default=8096)
    server = make_server(parser.parse_args().port)
    sys.stdout.write(f"实名核验模拟器在 http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
