"""JPEG and PNG of at most 2560 pixels a side, in their own format, with what the camera noted."""
from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from engine.storage.compressing.leave import LeaveIt

SIDE = 2560
LIGHT = 1_500_000
MOST_PIXELS = 100_000_000


def compress(source: Path, target: Path, tell: Callable[[int], None]) -> None:
    """Raises LeaveIt for a light picture, OSError for a damaged one."""
    data = source.read_bytes()
    smaller = shrink(data, side=SIDE, quality=85, light=LIGHT)
    if smaller is None:
        raise LeaveIt("已经很小，不用压缩。")
    target.write_bytes(smaller)


def shrink(data: bytes, *, side: int, quality: int, light: int) -> bytes | None:
    """The picture in its own format at most ``side`` a side; None when it is light and small, or no JPEG or PNG."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        if image.width * image.height > MOST_PIXELS:
            return None
        if max(image.size) <= side and len(data) <= light:
            return None
        kind, exif, profile = image.format, image.info.get("exif", b""), image.info.get("icc_profile")
        if kind == "JPEG":
            image.draft(image.mode, (side, side))
        image.load()
        image.thumbnail((side, side))
        made = io.BytesIO()
        more = {"quality": quality, "progressive": True} if kind == "JPEG" else {}
        image.save(made, kind, optimize=True, icc_profile=profile, **more, **({"exif": exif} if exif else {}))
    return made.getvalue()
