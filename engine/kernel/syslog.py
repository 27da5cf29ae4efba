"""Lines as RFC 5424 asks for, sent to the log server of a deployment over UDP or TCP (RFC 6587, octet counting)."""
from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

APP, ENTERPRISE = "guicheng", "guicheng@32473"
FACILITY = {"audit": 13, "security": 4, "local": 16}
"""Log audit, security messages, local use 0, as RFC 5424 numbers them."""
SEVERITY = {"high": 2, "middle": 3, "low": 4, "notice": 5, "info": 6}
_LARGEST_DATAGRAM = 60_000


def line(*, at: datetime, facility: str, severity: str, kind: str, text: str, data: Mapping[str, object], host: str = "") -> bytes:
    """One message; ``data`` becomes structured data, ``text`` the words in UTF-8."""
    when = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    pairs = "".join(f' {_name(name)}="{_value(value)}"' for name, value in data.items() if value not in (None, ""))
    head = f"<{FACILITY[facility] * 8 + SEVERITY[severity]}>1 {when} {_token(host or socket.gethostname(), 255)} {APP} - {_token(kind, 32)} [{ENTERPRISE}{pairs}] "
    return head.encode() + b"\xef\xbb\xbf" + text.replace("\n", " ").replace("\r", " ").encode("utf-8", "replace")


def send(address: str, lines: Iterable[bytes], *, seconds: float = 10) -> int:
    """Send to ``udp://host:514`` or ``tcp://host:601``; how many. Raises OSError when nobody takes them, ValueError for another address."""
    parts = urlsplit(address)
    if parts.scheme not in ("udp", "tcp") or not parts.hostname:
        raise ValueError(f"日志服务器的地址应写成 udp://主机:514 或 tcp://主机:601，不是 {address}。")
    port, count = parts.port or (514 if parts.scheme == "udp" else 601), 0
    if parts.scheme == "tcp":
        with socket.create_connection((parts.hostname, port), timeout=seconds) as stream:
            for one in lines:
                stream.sendall(b"%d %s" % (len(one), one))
                count += 1
        return count
    family, kind, protocol, _, target = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as datagrams:
        for one in lines:
            datagrams.sendto(one[:_LARGEST_DATAGRAM], target)
            count += 1
    return count


def _token(text: str, longest: int) -> str:
    return re.sub(r"[^\x21-\x7e]", "_", text)[:longest] or "-"


def _name(text: str) -> str:
    return re.sub(r'[^\x21-\x7e]|[="\]\s]', "_", text)[:32]


def _value(value: object) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", str(value)).replace("\n", " ")[:2000]
