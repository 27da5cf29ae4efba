"""A device that answers over a socket: one JSON line asks, one answers. ``python -m engine hsm-simulator`` speaks it.

Asked are ``{"do": "public"|"sign"|"decrypt"|"wrap"|"unwrap", "key": name, "data": hex}``, answered ``{"data": hex}`` or ``{"error": text}``.
A vendor's client (GM/T 0018 SDF, GM/T 0020 SVS) takes the place of ``_ask``; nothing else of the platform changes.
"""
from __future__ import annotations

import json
import socket
from pathlib import Path

from engine.kernel.gm.provider import ProviderUnavailable, SealBroken

SECONDS = 5.0
LONGEST_LINE = 8 * 1024 * 1024


class SocketVault:
    """Every call is a connection of its own, so a device that was restarted is simply there again."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.name = f"密码设备 {address}"

    def public(self, key: str) -> bytes:
        return self._ask("public", key, b"")

    def sign(self, key: str, data: bytes) -> bytes:
        return self._ask("sign", key, data)

    def decrypt(self, key: str, sealed: bytes) -> bytes:
        return self._ask("decrypt", key, sealed)

    def wrap(self, secret: bytes) -> bytes:
        return self._ask("wrap", "", secret)

    def unwrap(self, wrapped: bytes) -> bytes:
        return self._ask("unwrap", "", wrapped)

    def _ask(self, do: str, key: str, data: bytes) -> bytes:
        try:
            with self._connected() as line:
                line.sendall(json.dumps({"do": do, "key": key, "data": data.hex()}).encode() + b"\n")
                with line.makefile("rb") as answers:
                    answer = json.loads(answers.readline(LONGEST_LINE))
        except (OSError, ValueError) as error:
            raise ProviderUnavailable(f"{self.name}没有应答，请检查设备和环境变量 GUICHENG_CRYPTO：{error}") from None
        if answer.get("error") == "sealed":
            raise SealBroken("密码设备打不开这段密文：它不是这台设备封的，或被改动")
        if "error" in answer:
            raise ProviderUnavailable(f"{self.name}拒绝了请求：{answer['error']}")
        return bytes.fromhex(answer["data"])

    def _connected(self) -> socket.socket:
        if self._address.startswith("/"):
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(SECONDS)
            try:
                line.connect(self._address)
            except OSError:
                line.close()
                raise
            return line
        host, _, port = self._address.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=SECONDS)


def open_vault(rest: str, folder: Path) -> SocketVault:
    """``rest`` is a path or ``host:port``; ``folder`` is not used: nothing is kept here."""
    if not rest:
        raise ProviderUnavailable("请写明密码设备的地址，例如 GUICHENG_CRYPTO=socket:/run/hsm.sock。")
    return SocketVault(rest)
