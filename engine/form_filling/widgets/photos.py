"""Photographs: files that are images, shown as pictures, taken with the camera where there is one."""

from __future__ import annotations

from engine.form_filling.widgets.files import Files


class Photos(Files):
    block = True


widget = Photos()
