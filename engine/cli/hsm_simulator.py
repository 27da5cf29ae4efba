"""`python -m engine hsm-simulator`: a stand-in for a cryptographic device, as a process of its own behind a socket."""
from __future__ import annotations

import json
import os
import secrets
import socketserver
from pathlib import Path
from typing import Any

import click

from engine.kernel.gm import SealBroken, sm4_gcm_decrypt, sm4_gcm_encrypt
from engine.kernel.gm.private_files import make_file, read_file
from engine.kernel.gm.vaults.file import FileVault


@click.command(help="密码设备模拟器：私钥只在这个进程里，平台经套接字请它签名、封装密钥。设 GUICHENG_CRYPTO=socket:路径 让平台用它。")
@click.option("--socket", "path", required=True, type=click.Path(path_type=Path), help="套接字的路径")
@click.option("--keys", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="设备自己的密钥目录")
def command(path: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with make_server(path, folder) as server:
        click.echo(f"密码设备模拟器在 {path}。Ctrl-C 停止。")
        server.serve_forever()


def make_server(path: Path, folder: Path) -> socketserver.ThreadingUnixStreamServer:
    """The device's server; the socket can be used by its owner only."""
    vault = FileVault(folder)
    make_file(folder / "wrap.key", lambda: secrets.token_hex(16).encode())
    wrap = bytes.fromhex(read_file(folder / "wrap.key").decode())

    class Device(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(json.dumps(_answer(vault, wrap, self.rfile.readline(8 << 20))).encode() + b"\n")

    before = os.umask(0o177)
    try:
        return socketserver.ThreadingUnixStreamServer(str(path), Device)
    finally:
        os.umask(before)


def _answer(vault: FileVault, wrap: bytes, line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line)
        data = bytes.fromhex(asked["data"])
        match asked["do"]:
            case "public":
                return {"data": vault.public(_name(asked["key"])).hex()}
            case "sign":
                return {"data": vault.sign(_name(asked["key"]), data).hex()}
            case "decrypt":
                return {"data": vault.decrypt(_name(asked["key"]), data).hex()}
            case "wrap":
                return {"data": sm4_gcm_encrypt(wrap, data, b"wrap").hex()}
            case "unwrap":
                return {"data": sm4_gcm_decrypt(wrap, data, b"wrap").hex()}
        return {"error": "unknown"}
    except SealBroken:
        return {"error": "sealed"}
    except (KeyError, TypeError, ValueError) as error:
        return {"error": str(error)}


def _name(key: str) -> str:
    if not key.replace("_", "").isalnum() or not key.isascii():
        raise ValueError("bad key name")
    return key
