"""Headers that every answer carries."""
from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, g, request
from flask.wrappers import Response

# bpmn-js and the forms set style attributes; style sheets and scripts come from here only, none inline.
POLICY = "; ".join((
    "default-src 'self'", "script-src 'self'", "style-src 'self'", "style-src-attr 'unsafe-inline'", "img-src 'self' data: blob:", "font-src 'self' data:",
    "connect-src 'self'", "frame-src 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'self'",
))
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=()",
}


def install(app: Flask) -> None:
    tiles = urlsplit(app.extensions["guicheng"].settings.map_tiles.replace("{s}", "*"))
    policy = POLICY.replace("img-src 'self'", f"img-src 'self' {tiles.scheme}://{tiles.netloc}") if tiles.netloc else POLICY

    encrypted = app.extensions["guicheng"].settings.public_url.startswith("https://")

    every = [(name.lower(), name, value) for name, value in {
        **HEADERS, "Content-Security-Policy": policy, **({"Strict-Transport-Security": "max-age=31536000"} if encrypted else {}),
    }.items()]

    def add(response: Response) -> Response:
        there = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 (headers are no dict)
        for low, name, value in every:
            if low not in there:
                response.headers.add(name, value)
        return _store(response)

    app.after_request(add)


def _store(response: Response) -> Response:
    """How long a browser may keep the answer."""
    if request.endpoint == "static":
        immutable = "/dist/" in request.path
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if immutable else "public, max-age=3600"
    elif g.get("actor") is not None and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-store" if request.method != "GET" else "private, no-cache"
    return response
