"""Whether the address to listen on is free. The web server itself would share a taken one without a word."""
from __future__ import annotations

import socket

from engine.kernel.errors import GuichengError
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
