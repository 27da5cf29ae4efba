"""The Flask application: every module beside this one that holds a ``blueprint`` is part of it."""
from __future__ import annotations

import pkgutil
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, Flask

import engine.web
from engine.web import assets, csrf, errors, guard, headers, hosts, plain_text, shell, traces, uploads
from engine.web.notes import Notes
from engine.web.prefix import SubPath
from engine.web.proxies import BehindProxies

if TYPE_CHECKING:
    from engine.runtime.application import Application

LARGEST_REQUEST = 64 * 1024 * 1024


def create_flask(app: Application) -> Flask:
    """The WSGI application that serves ``app``; public addresses start with ``settings.public_url``."""
    here = Path(__file__).parent
    flask = Flask("engine.web", template_folder=str(here / "templates"), static_folder=str(here / "static"), static_url_path="/static")
    public = urlsplit(app.settings.public_url)
    flask.config.update(
        SECRET_KEY=app.settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=8 * 1024 * 1024,
        SESSION_COOKIE_NAME="guicheng_note",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=public.scheme == "https",
        SESSION_COOKIE_PATH=public.path.rstrip("/") or "/",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=16),
    )
    flask.extensions["guicheng"] = app
    flask.session_interface = Notes(flask)
    flask.jinja_env.trim_blocks = flask.jinja_env.lstrip_blocks = True
    for part in (assets, headers, hosts, uploads, traces, guard, csrf, plain_text, errors, shell):
        part.install(flask)
    for blueprint in blueprints():
        flask.register_blueprint(blueprint)
    flask.wsgi_app = BehindProxies(SubPath(flask.wsgi_app, app.settings.public_url), app.settings.proxies)  # type: ignore[method-assign]
    return flask


def blueprints() -> list[Blueprint]:
    """The blueprints found in this package, by module name."""
    modules = (import_module(f"engine.web.{info.name}") for info in pkgutil.iter_modules(engine.web.__path__))
    return [module.blueprint for module in modules if hasattr(module, "blueprint")]
