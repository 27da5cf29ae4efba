"""PDF: photographs in it at most 2000 pixels a side as JPEG, everything packed again; text, drawings and scans in black and white stay as they are."""
from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

from engine.storage.compressing.leave import LeaveIt

SIDE = 2000
"""A4 at about 170 dots an inch."""
LIGHT = 100_000
MOST_PIXELS = 100_000_000


def compress(source: Path, target: Path, tell: Callable[[int], None]) -> None:
    """Raises LeaveIt for what is signed or locked; pikepdf.PdfError for what is damaged."""
    try:
        read = pikepdf.open(source)
    except pikepdf.PasswordError:
        raise LeaveIt("文件加了密码，不压缩。") from None
    with read:
        if read.is_encrypted:
            raise LeaveIt("文件加了密码，不压缩。")
        if _signed(read):
            raise LeaveIt("文件带有电子签名，压缩会使签名失效，保留原件。")
        pages, pictures = len(read.pages), list(_pictures(read))
        for place, picture in enumerate(pictures):
            _shrink(picture)
            tell(int(95 * (place + 1) / len(pictures)))
        read.save(target, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True)
    with pikepdf.open(target) as made:
        if len(made.pages) != pages:
            raise ValueError("the result lost pages")


def _signed(read: pikepdf.Pdf) -> bool:
    form = read.Root.get("/AcroForm")
    if form is not None and int(form.get("/SigFlags", 0)) & 1:
        return True
    return any(isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/Sig" for one in read.objects)


def _pictures(read: pikepdf.Pdf) -> Any:
    for one in read.objects:
        if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Image" and len(one.read_raw_bytes()) > LIGHT:
            yield one


def _shrink(stream: Any) -> None:
    """Only what is plainly a photograph: eight bits, grey or RGB, no table of colours, no mask by colour."""
    if int(stream.get("/BitsPerComponent", 0)) != 8 or "/Decode" in stream or isinstance(stream.get("/Mask"), pikepdf.Array):
        return
    if int(stream.Width) * int(stream.Height) > MOST_PIXELS:
        return
    try:
        with Image.Image.copy(pikepdf.PdfImage(stream).as_pil_image()) as image:
            data = _jpeg(image)
    except (pikepdf.PdfError, NotImplementedError, OSError, ValueError, KeyError, AttributeError):
        return
    if data is None or len(data[0]) > 0.9 * len(stream.read_raw_bytes()):
        return
    made, (width, height), space = data
    stream.write(made, filter=pikepdf.Name.DCTDecode)
    stream.Width, stream.Height, stream.ColorSpace = width, height, space


def _jpeg(image: Image.Image) -> tuple[bytes, tuple[int, int], pikepdf.Name] | None:
    if image.mode not in ("RGB", "L"):
        return None
    image.thumbnail((SIDE, SIDE))
    made = io.BytesIO()
    image.save(made, "JPEG", quality=75, optimize=True)
    return made.getvalue(), image.size, pikepdf.Name.DeviceRGB if image.mode == "RGB" else pikepdf.Name.DeviceGray
