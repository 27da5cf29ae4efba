"""How an act answers: a redirect for a plain form, an address for the script that sent it."""
from __future__ import annotations

from flask import flash, jsonify, redirect, request, session
from flask.typing import ResponseReturnValue

MESSAGES = 3
"""How many messages wait for the next page at most: somebody who acts through a script opens none, and the cookie holds them all."""


def done(location: str, message: str = "", *, kind: str = "ok") -> ResponseReturnValue:
    """Go on at ``location``; ``message`` stands there on top of the page."""
    if message:
        flash(message, kind)
        session["_flashes"] = session["_flashes"][-MESSAGES:]
    if request.headers.get("X-Guicheng-Fetch"):
        return jsonify({"location": location})
    if request.headers.get("HX-Request"):
        return "", 204, {"HX-Redirect": location}
    return redirect(location, 303)
