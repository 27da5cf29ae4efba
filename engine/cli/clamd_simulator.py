"""`python -m engine clamd-simulator`: a stand-in for clamd that knows one virus, the EICAR test file."""
from __future__ import annotations

import socketserver
import struct
from io import BufferedIOBase

import click

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LARGEST = 64 << 20


@click.command(help="杀毒服务（clamd）模拟器，只认得 EICAR 测试文件。设 GUICHENG_CLAMD=127.0.0.1:端口 让平台用它。")
@click.option("--port", default=3310, show_default=True)
def command(port: int) -> None:
    with make_server(port) as server:
        click.echo(f"杀毒服务模拟器在 127.0.0.1:{server.server_address[1]}。Ctrl-C 停止。")
        server.serve_forever()


def make_server(port: int = 0) -> socketserver.ThreadingTCPServer:
    """The scanner's server on loopback; port 0 takes a free one."""
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    return socketserver.ThreadingTCPServer(("127.0.0.1", port), _Scanner)


class _Scanner(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        asked = b""
        while not asked.endswith(b"\0") and len(asked) < 100:
            asked += self.rfile.read(1) or b"\0"
        if asked == b"zVERSION\0":
            self.wfile.write("模拟 clamd 1.0\0".encode())
        elif asked == b"zINSTREAM\0":
            self.wfile.write(_answer(self.rfile))


def _answer(stream: BufferedIOBase) -> bytes:
    data = b""
    while size := struct.unpack("!I", stream.read(4))[0]:
        data += stream.read(size)
        if len(data) > LARGEST:
            return b"INSTREAM size limit exceeded. ERROR\0"
    return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in data else b"stream: OK\0"
