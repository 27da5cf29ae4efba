"""Pictures of seals: the round seal of a unit, the handwritten name of a person. PNG with a transparent ground."""
from __future__ import annotations

import io
import math
import subprocess
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from engine.kernel.errors import Unavailable

RED = (200, 32, 32, 255)
INK = (24, 32, 72, 255)
_SIZE, _SCALE = 540, 2
SERIF, KAITI = "Noto Serif CJK SC:bold", "AR PL KaitiM GB"


def draw_unit_seal(*, name: str, kind_title: str = "", demo: bool = False) -> bytes:
    """A round red seal, 540 × 540 (300 dots per inch at 45 mm): the unit's name along the arc, a star, below it ``kind_title``; ``demo`` adds 演示."""
    size = _SIZE * _SCALE
    canvas = Image.new("RGBA", (size, size), (255, 255, 255, 0))
    pen, centre = ImageDraw.Draw(canvas), size / 2
    _ring(pen, centre, size * 0.478, size * 0.026)
    _star(pen, centre, centre, size * 0.115)
    _arc_text(canvas, name, centre, size)
    if kind_title:
        _line(pen, kind_title, centre, size * 0.745, font_of(SERIF, int(size * 0.072)), size * 0.5)
    if demo:
        _line(pen, "演 示", centre, size * 0.325, font_of(SERIF, int(size * 0.062)), size * 0.3)
    return _png(canvas.resize((_SIZE, _SIZE), Image.Resampling.LANCZOS))


def draw_personal_signature(*, name: str, demo: bool = False) -> bytes:
    """A person's name as if written by hand, dark ink; ``demo`` adds a small 演示 beside it."""
    size = 140
    font = font_of(KAITI if _has_glyphs(KAITI, name) else "Noto Serif CJK SC", size)
    width = int(font.getlength(name)) + size // 2 + (size // 2 if demo else 0)
    canvas = Image.new("RGBA", (width, int(size * 1.4)), (255, 255, 255, 0))
    pen = ImageDraw.Draw(canvas)
    pen.text((size // 5, int(size * 0.12)), name, font=font, fill=INK)
    if demo:
        pen.text((width - int(size * 0.62), int(size * 0.86)), "演示", font=font_of(SERIF, size // 5), fill=RED)
    slanted = canvas.transform(canvas.size, Image.Transform.AFFINE, (1, 0.14, -0.14 * size * 0.5, 0, 1, 0), Image.Resampling.BICUBIC)
    return _png(slanted)


def normalise_image(data: bytes) -> bytes:
    """A picture of a seal or signature as PNG with alpha, at most 1200 pixels wide; white becomes transparent where none is.

    Raises ValueError when it is not a picture or has more than 20 million pixels.
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > 20_000_000:
                raise ValueError("图片太大，请缩小到 2000 万像素以内")
            picture = opened.convert("RGBA")
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError("不是能识别的图片") from error
    if picture.getchannel("A").getextrema()[0] == 255:
        darkness = picture.convert("L").point(lambda value: 255 if value < 160 else max(0, (250 - value) * 255 // 90))
        picture.putalpha(darkness)
    picture.thumbnail((1200, 1200))
    return _png(picture)


def _ring(pen: ImageDraw.ImageDraw, centre: float, radius: float, width: float) -> None:
    box = (centre - radius, centre - radius, centre + radius, centre + radius)
    pen.ellipse(box, outline=RED, width=int(width))


def _star(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    inner = radius * 0.382
    points = []
    for corner in range(10):
        reach, angle = (radius if corner % 2 == 0 else inner), math.pi * (corner / 5 - 0.5)
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    pen.polygon(points, fill=RED)


def _arc_text(canvas: Image.Image, text: str, centre: float, size: int) -> None:
    """Characters upright on the upper arc, spread over 230°, less for a short name."""
    span = math.radians(min(236, 17 * (len(text) + 1)))
    step = span / max(len(text) - 1, 1)
    height = int(min(size * 0.108, step * size * 0.36 * 0.98))
    font, radius = font_of(SERIF, height), size * 0.372
    for index, character in enumerate(text):
        angle = -span / 2 + step * index if len(text) > 1 else 0.0
        tile = Image.new("RGBA", (height * 2, height * 2), (255, 255, 255, 0))
        ImageDraw.Draw(tile).text((height, height), character, font=font, fill=RED, anchor="mm")
        narrow = tile.resize((int(height * 1.7), height * 2), Image.Resampling.LANCZOS)
        turned = narrow.rotate(-math.degrees(angle), Image.Resampling.BICUBIC, expand=True)
        x, y = centre + radius * math.sin(angle), centre - radius * math.cos(angle)
        canvas.alpha_composite(turned, (int(x - turned.width / 2), int(y - turned.height / 2)))


def _line(pen: ImageDraw.ImageDraw, text: str, x: float, y: float, font: ImageFont.FreeTypeFont, room: float) -> None:
    while font.getlength(text) > room and font.size > 12:
        font = font.font_variant(size=int(font.size * 0.92))
    pen.text((x, y), text, font=font, fill=RED, anchor="mm")


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=6)
    return out.getvalue()


@cache
def font_of(pattern: str, size: int) -> ImageFont.FreeTypeFont:
    """The font that fontconfig gives for ``pattern``, ``size`` dots high; raises Unavailable without fontconfig."""
    file, index = _font_file(pattern)
    return ImageFont.truetype(file, size, index=index)


@cache
def _font_file(pattern: str) -> tuple[str, int]:
    """The font that fontconfig gives for ``pattern``."""
    try:
        done = subprocess.run(["fc-match", "-f", "%{file}\n%{index}", pattern], capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable("缺少系统包 fontconfig，无法绘制印章") from error
    file, index = done.stdout.split("\n")[:2]
    return file, int(index) & 0xFFFF


@cache
def _characters(pattern: str) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    file, index = _font_file(pattern)
    with TTFont(file, fontNumber=index, lazy=True) as font:
        return frozenset(font.getBestCmap())


def _has_glyphs(pattern: str, text: str) -> bool:
    return all(ord(character) in _characters(pattern) for character in text)
