"""No text that a request carries holds a NUL: no database keeps one, and nobody types it."""
from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, request

from engine.kernel.errors import Invalid, NotFound
from engine.web.api.errors import below_api

WORDS = "提交的内容里有不能保存的字符，没有提交。请去掉后再试。"


def install(app: Flask) -> None:
    app.before_request(check)


def check() -> None:
    """Raise NotFound when the address, Invalid when its question or a form field holds a NUL. The API looks at its bodies itself."""
    if "\0" in request.path:
        raise NotFound("没有这个页面。")
    if any("\0" in text for text in _texts()):
        raise Invalid(WORDS, code="unreadable_text")


def _texts() -> Iterator[str]:
    for name, values in request.args.lists():
        yield name
        yield from values
    if request.method not in ("GET", "HEAD") and not below_api() and request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, values in request.form.lists():
            yield name
            yield from values
