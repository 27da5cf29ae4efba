"""Looks into uploaded pictures with Pillow: are they whole, when and where were they taken, a small copy for lists."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from engine.form_filling.sniff import Refused
from engine.kernel.clock import SHANGHAI

MOST_PIXELS = 60_000_000
THUMBNAIL = (480, 480)


def inspect_picture(data: bytes) -> dict[str, Any]:
    """What the camera noted: taken_at (ISO), longitude, latitude (degrees), device, width, height; raises Refused when it can't be read."""
    with _readable():
        image = _opened(data)
        exif = image.getexif()
        details, gps = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    found: dict[str, Any] = {"width": image.width, "height": image.height}
    if taken := _taken(details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)):
        found["taken_at"] = taken
    device = " ".join(str(exif.get(tag, "")).strip("\x00 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model)).strip()
    return found | _place(gps) | ({"device": device[:100]} if device else {})


def make_thumbnail(data: bytes) -> bytes:
    """A JPEG of at most 480 × 480, upright; raises Refused."""
    with _readable():
        image = _opened(data)
        image.draft("RGB", THUMBNAIL)
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail(THUMBNAIL)
        flat = Image.new("RGB", upright.size, "white")
        flat.paste(upright, mask=upright.convert("RGBA").getchannel("A") if upright.mode in ("RGBA", "LA", "P") else None)
        made = io.BytesIO()
        flat.save(made, "JPEG", quality=80)
    return made.getvalue()


@contextmanager
def _readable() -> Iterator[None]:
    """Whatever a damaged or hostile picture makes Pillow raise becomes one message."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # the PDF renderer turns this on for the whole process where it is loaded
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    except Refused:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, EOFError, struct.error):
        raise Refused("图片不完整，打不开。请重新拍照或选图。") from None


def _opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
    if image.width * image.height > MOST_PIXELS:
        raise Refused("图片太大（超过 6000 万像素），请缩小后再传。")
    return image


def _taken(text: Any) -> str | None:
    """EXIF time, which has no zone, as an instant in Shanghai."""
    try:
        return datetime.strptime(str(text)[:19], "%Y:%m:%d %H:%M:%S").replace(tzinfo=SHANGHAI).isoformat()
    except ValueError:
        return None


def _place(gps: Any) -> dict[str, float]:
    try:
        latitude = _degrees(gps[ExifTags.GPS.GPSLatitude], gps.get(ExifTags.GPS.GPSLatitudeRef) == "S")
        longitude = _degrees(gps[ExifTags.GPS.GPSLongitude], gps.get(ExifTags.GPS.GPSLongitudeRef) == "W")
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError):
        return {}
    return {"longitude": longitude, "latitude": latitude}


def _degrees(parts: Any, negative: bool) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = round(degrees + minutes / 60 + seconds / 3600, 6)
    return -value if negative else value
