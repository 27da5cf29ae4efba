"""A sub-path in PUBLIC_URL: links carry it, whether or not the proxy in front takes it off."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class SubPath:
    """WSGI middleware that moves ``prefix`` from PATH_INFO to SCRIPT_NAME and names the public scheme and host."""

    def __init__(self, app: Wsgi, public_url: str) -> None:
        self.app = app
        self.prefix = urlsplit(public_url).path.rstrip("/")
        self.scheme = urlsplit(public_url).scheme

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if self.prefix:
            environ["SCRIPT_NAME"] = self.prefix
            if path == self.prefix or path.startswith(self.prefix + "/"):
                environ["PATH_INFO"] = path[len(self.prefix):] or "/"
        if self.scheme == "https":
            environ["wsgi.url_scheme"] = "https"
        return self.app(environ, start_response)
