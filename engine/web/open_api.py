"""The open API below /api: every module of ``engine.web.api`` that holds a ``topic`` is part of it."""
from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

from flask.blueprints import BlueprintSetupState
from flask_openapi3 import APIBlueprint

import engine.web.api
from engine.web.api.problems import on_invalid
from engine.web.api.screen import screen, sign


def _assemble() -> APIBlueprint:
    made = APIBlueprint("api", __name__, url_prefix="/api")
    for info in pkgutil.iter_modules(engine.web.api.__path__):
        module: Any = import_module(f"engine.web.api.{info.name}")
        if isinstance(getattr(module, "topic", None), APIBlueprint):
            made.register_api(module.topic)
    made.before_request(screen)
    made.after_app_request(sign)
    made.record(_install)
    return made


def _install(state: BlueprintSetupState) -> None:
    """Where flask-openapi3 looks for what to do with a request that doesn't fit, and where the document finds all operations."""
    state.app.validation_error_callback = on_invalid  # type: ignore[attr-defined]
    state.app.extensions["guicheng_api"] = blueprint


blueprint = _assemble()
