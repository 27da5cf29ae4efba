"""Whether the address to listen on may be taken: it is free, and what goes over it to other machines is encrypted."""
from __future__ import annotations

import socket
from pathlib import Path

from engine.kernel.errors import GuichengError
from engine.kernel.loopback import is_loopback
from engine.kernel.settings import Settings


def refuse_taken_port(settings: Settings) -> None:
    """Raise GuichengError (code ``port_taken``) when somebody listens there or the address isn't ours."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise GuichengError(
                f"地址 {settings.host}:{settings.port} 不能使用（{error.strerror}）。请换一个端口，例如 --port {settings.port + 1}。",
                code="port_taken",
            ) from None


def refuse_plain_entry(settings: Settings) -> None:
    """Raise GuichengError (code ``plain_entry``) where production would serve other machines in plain, ``tls_files`` when they can't be read."""
    for file in (settings.tls_certificate, settings.tls_key):
        if file and not Path(file).is_file():
            raise GuichengError(f"HTTPS 的证书或私钥文件 {file} 不存在，请检查 GUICHENG_TLS_CERT、GUICHENG_TLS_KEY。", code="tls_files")
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise GuichengError("GUICHENG_TLS_CERT 和 GUICHENG_TLS_KEY 要一起设。", code="tls_files")
    if settings.environment == "production" and not is_loopback(settings.host) and not settings.tls_certificate and not settings.proxies:
        raise GuichengError(
            f"生产环境不在 {settings.host} 提供明文入口。请设 GUICHENG_TLS_CERT、GUICHENG_TLS_KEY 由平台自己提供 HTTPS；或只监听 127.0.0.1，由国密网关（python -m engine gm-gateway）转来；"
            "或用 GUICHENG_PROXIES 写明前面加密的代理。",
            code="plain_entry",
        )
