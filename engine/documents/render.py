"""HTML to PDF by WeasyPrint. Workers only: it takes up to 200 MB while it runs and gives the memory back after."""
from __future__ import annotations

import ctypes
import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from engine.kernel.errors import Unavailable

log = logging.getLogger(__name__)
FONT_ENDINGS = frozenset({".ttf", ".otf", ".ttc", ".woff2"})
_FAMILY, _TYPOGRAPHIC_FAMILY = 1, 16


def render_pdf(html: str, *, fonts: Path | None = None) -> bytes:
    """The PDF of a whole HTML page. ``fonts`` is a folder of licensed fonts (仿宋, 小标宋) found by their family names.

    Nothing is fetched but ``data:`` and those fonts. Raises Unavailable when a system library is missing.
    """
    weasyprint = _weasyprint()
    from weasyprint.text.fonts import FontConfiguration

    with _trimmed():
        configuration = FontConfiguration()
        sheet = weasyprint.CSS(string=_font_faces(fonts), font_config=configuration, url_fetcher=_fetcher(fonts))
        page = weasyprint.HTML(string=html, url_fetcher=_fetcher(fonts), base_url=None)
        pdf: bytes = page.write_pdf(stylesheets=[sheet], font_config=configuration)
        return pdf


@cache
def _weasyprint() -> Any:
    """The module, once its libraries are known to be whole: without harfbuzz-subset a page takes 6 s instead of 0.3 s."""
    try:
        import weasyprint
        from weasyprint.text.ffi import harfbuzz_subset
    except OSError as error:
        raise Unavailable(f"缺少生成 PDF 的系统库，请安装 libpango-1.0-0、libpangoft2-1.0-0：{error}") from error
    if not harfbuzz_subset:
        raise Unavailable("缺少系统包 libharfbuzz-subset0，请安装后重启后台进程")
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    return weasyprint


def _fetcher(fonts: Path | None) -> Any:
    from weasyprint.urls import URLFetcher

    allowed = {file.resolve().as_uri() for file in _font_files(fonts)}

    class OnlyOurs(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            if not url.startswith("data:") and url not in allowed:
                raise ValueError(f"文书里不能引用外部地址：{url[:80]}")
            return super().fetch(url, headers)

    return OnlyOurs(allowed_protocols=("data", "file"), allow_redirects=False)


def _font_files(fonts: Path | None) -> list[Path]:
    if fonts is None or not fonts.is_dir():
        return []
    return sorted(file for file in fonts.iterdir() if file.suffix.lower() in FONT_ENDINGS and file.is_file())


def _font_faces(fonts: Path | None) -> str:
    faces = []
    for file in _font_files(fonts):
        for family in _families(file):
            quoted = family.replace("\\", "").replace('"', "")
            faces.append(f'@font-face {{ font-family: "{quoted}"; src: url("{file.resolve().as_uri()}") }}')
    return "\n".join(faces)


@cache
def _families(file: Path) -> tuple[str, ...]:
    """Every family name a font file carries, Chinese and Latin."""
    from fontTools.ttLib import TTCollection, TTFont, TTLibError

    try:
        opened = TTCollection(file).fonts[:1] if file.suffix.lower() == ".ttc" else [TTFont(file)]
        names = {record.toUnicode() for font in opened for record in font["name"].names if record.nameID in (_FAMILY, _TYPOGRAPHIC_FAMILY)}
    except (TTLibError, OSError, KeyError, UnicodeDecodeError) as error:
        log.warning("字体文件 %s 无法读取：%s", file.name, error)
        return ()
    return tuple(sorted(names))


@contextmanager
def _trimmed() -> Iterator[None]:
    """Hand freed memory back to the system; otherwise a worker keeps 600 MB after a few documents.

    Only what the page left behind is looked through: a worker that has grown big would spend seconds on all the rest.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        _malloc_trim()


def _malloc_trim() -> None:
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        log.debug("malloc_trim is a function of glibc; this libc has none")
