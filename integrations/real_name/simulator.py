"""A real-name check as a server of its own.

    python -m integrations.real_name.simulator --port 8096

POST /people          {"name", "identifier_kind", "identifier", "phone"} → {"number", "hint"}; the hint shows the code that a telephone would get
POST /people/confirm  {"number", "code"} → {"passed", "reason", "receipt"}; wrong code: not passed; names with 不符: never passed
POST /enterprises     {"name", "identifier", "organisation", "credit_code"} → the same; passed when the name stands in KNOWN for the code, or the code isn't known
"""
from __future__ import annotations

import secrets
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import make_json_server, run

KNOWN = {"91310199MA00003179": "麦小满"}
"""Enterprises of the demo city and who represents them; others are represented by nobody but themselves."""


class Checks:
    """The checks that have begun."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Mapping[str, Any], str]] = {}

    def begin(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        number, code = secrets.token_hex(8), f"{secrets.randbelow(1_000_000):06}"
        self._open[number] = (sent, code)
        return {"number": number, "hint": f"模拟：手机 {str(sent.get('phone', ''))[-4:]} 收到的验证码是 {code}"}

    def confirm(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        person, code = self._open.get(str(sent.get("number")), ({}, ""))
        if not code or sent.get("code") != code:
            return {"passed": False, "reason": "验证码不对，请重新输入"}
        if "不符" in str(person.get("name")):
            return {"passed": False, "reason": "姓名和证件号对不上"}
        del self._open[str(sent["number"])]
        return {"passed": True, "receipt": f"SM{sent['number']}"}

    def represents(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        if KNOWN.get(str(sent.get("credit_code"))) == sent.get("name"):
            return {"passed": True, "receipt": f"QY{secrets.token_hex(6)}"}
        return {"passed": False, "reason": "登记的法定代表人不是您"}


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one."""
    checks = Checks()
    return make_json_server({
        "POST /people": lambda call: (200, checks.begin(call.body)), "POST /people/confirm": lambda call: (200, checks.confirm(call.body)),
        "POST /enterprises": lambda call: (200, checks.represents(call.body)),
    }, port=port)


if __name__ == "__main__":
    run(make_server, title="实名核验模拟器", port=8096)
