"""The client of clamd, which looks at files for malicious code: the INSTREAM command over a socket."""
from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from engine.kernel.errors import Invalid, Unavailable

SECONDS, CHUNK, LONGEST = 60, 1 << 18, 4_096


class Infected(Invalid):
    """The scanner knows what is in the file; ``found`` is its name for it."""

    code = "infected"

    def __init__(self, found: str) -> None:
        super().__init__("这个文件里有恶意代码，没有接收。请先在自己的机器上查杀，或联系管理员。", code=self.code)
        self.found = found


class VirusScanner:
    """``address``: ``unix:/path`` or ``host:port``. Raises Unavailable when it doesn't answer: a file that nobody looked at isn't taken."""

    def __init__(self, address: str) -> None:
        self.address = address

    def look_at(self, file: IO[bytes]) -> None:
        """Read ``file`` from its beginning and leave it there; raises Infected, Unavailable."""
        file.seek(0)
        try:
            with self._line() as line:
                line.sendall(b"zINSTREAM\0")
                try:
                    while piece := file.read(CHUNK):
                        line.sendall(struct.pack("!I", len(piece)) + piece)
                    line.sendall(struct.pack("!I", 0))
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it has said why, as a rule that the file is larger than it takes
                answer = _read(line)
        except OSError as problem:
            raise Unavailable("杀毒服务没有应答，文件没有接收。请稍后再传；一直这样请联系管理员。", code="scanner_silent") from problem
        finally:
            file.seek(0)
        if answer.endswith(" FOUND"):
            raise Infected(answer.removeprefix("stream: ").removesuffix(" FOUND")[:200])
        if answer != "stream: OK":
            raise Unavailable("杀毒服务没有查完这个文件，文件没有接收。请联系管理员核对杀毒服务允许的文件大小。", code="scanner_failed")

    def version(self) -> str:
        """What it says of itself; empty when it doesn't answer."""
        try:
            with self._line() as line:
                line.settimeout(2)
                line.sendall(b"zVERSION\0")
                return _read(line)[:100]
        except OSError:
            return ""

    @contextmanager
    def _line(self) -> Iterator[socket.socket]:
        if self.address.startswith("unix:"):
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(SECONDS)
            line.connect(self.address.removeprefix("unix:"))
        else:
            host, _, port = self.address.rpartition(":")
            line = socket.create_connection((host.strip("[]"), int(port or 3310)), timeout=SECONDS)
        with line:
            yield line


def _read(line: socket.socket) -> str:
    """The answer, up to its NUL."""
    data = b""
    while b"\0" not in data and len(data) < LONGEST:
        more = line.recv(LONGEST)
        if not more:
            break
        data += more
    return data.split(b"\0")[0].decode("utf-8", "replace").strip()
