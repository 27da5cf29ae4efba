"""One module per kind of field, found by presence: module ``money`` serves ``"widget": "money"``.

A module defines ``widget``, an instance of ``base.Widget``, and has a template ``templates/widgets/<kind>.html``
with the macros ``edit`` and ``said``.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.form_filling.model import Field
    from engine.form_filling.widgets.base import Widget

_SHARED = {"base"}


@cache
def all_widgets() -> dict[str, Widget]:
    """Kind → widget, for every module in this folder."""
    kinds = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _SHARED)
    return {kind: importlib.import_module(f"{__name__}.{kind}").widget for kind in kinds}


def widget_of(field: Field) -> Widget:
    """The widget that serves ``field``."""
    return all_widgets()[field.kind]
