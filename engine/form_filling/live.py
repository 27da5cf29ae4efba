"""Answers a change in an open form: suggestions, sums, conditions and narrowed dictionaries, settled on the server."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from engine.form_filling.context import FormContext
from engine.form_filling.model import Form, Right
from engine.form_filling.prefill import suggest_after
from engine.form_filling.render import render_groups

CHANGED = "changed"


def live_html(form: Form, *, posted: MultiDict[str, str], rights: Mapping[str, Right], context: FormContext) -> Markup:
    """All groups of the form after the field named in ``changed`` took the value that was posted.

    The page exchanges what is new and leaves alone what was typed since. Nothing is stored, nothing is refused.
    """
    data = form.read_html(posted)
    changed = posted.get(CHANGED, "").split(".")[0]
    return render_groups(
        form, data=suggest_after(form, changed=changed, data=data, rights=rights, context=context), rights=rights, context=context
    )
