"""The names that requests may be addressed to (ASVS V14.5): another Host is refused before anything is looked up."""
from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, request
from flask.wrappers import Response

from engine.kernel.loopback import is_loopback
from engine.kernel.settings import Settings


def install(app: Flask) -> None:
    known = allowed(app.extensions["guicheng"].settings)

    def refuse() -> Response | None:
        name = name_of(request.environ.get("HTTP_HOST", ""))
        if known is None or name in known or is_loopback(name):
            return None
        return Response("这个网址不是本平台的。请从单位公布的网址打开。", status=421, mimetype="text/plain")

    app.before_request(refuse)


def allowed(settings: Settings) -> frozenset[str] | None:
    """The names that are ours besides this machine's own; None where any will do (the demo, unless it is told)."""
    if not settings.hosts and settings.environment != "production":
        return None
    return frozenset({*settings.hosts, name_of(urlsplit(settings.public_url).netloc)})


def name_of(host: str) -> str:
    """The name in a Host header, without its port, in lower case; a Chinese name as punycode."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0].strip("[")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host
    try:
        return name.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        return name
