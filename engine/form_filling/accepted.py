"""Which files a field accepts: kinds, size and number, from its x-gc block."""

from __future__ import annotations

from collections.abc import Mapping

from engine.form_filling.model import Field

KINDS: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "image": ("图片", ("image/jpeg", "image/png", "image/webp"), (".jpg", ".jpeg", ".png", ".webp")),
    "pdf": ("PDF", ("application/pdf",), (".pdf",)),
    "word": ("Word（docx）", ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",), (".docx",)),
    "excel": ("Excel（xlsx）", ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",), (".xlsx",)),
    "video": ("视频（mp4）", ("video/mp4",), (".mp4",)),
    "audio": ("录音（mp3）", ("audio/mpeg",), (".mp3",)),
    "zip": ("压缩包（zip）", ("application/zip",), (".zip",)),
}
DEFAULT = {"files": ("image", "pdf", "word", "excel"), "photos": ("image",), "signature": ("image",)}
MEGABYTES = {"files": 20, "photos": 20, "signature": 2}


def accepted_kinds(field: Field) -> tuple[str, ...]:
    """The words of ``x-gc.accept`` (a list or one word), else the kind's default."""
    said = field.gc.get("accept")
    kinds = (said,) if isinstance(said, str) else tuple(said or ())
    return tuple(kind for kind in kinds if kind in KINDS) or DEFAULT[field.kind]


def accepts(field: Field, content_type: str) -> bool:
    return any(content_type in KINDS[kind][1] for kind in accepted_kinds(field))


def accepted_words(field: Field) -> str:
    """For people: ``图片、PDF``."""
    return "、".join(KINDS[kind][0] for kind in accepted_kinds(field))


def accept_attribute(field: Field) -> str:
    """For ``<input accept>``."""
    return ",".join(ending for kind in accepted_kinds(field) for ending in (*KINDS[kind][1], *KINDS[kind][2]))


def max_bytes(field: Field) -> int:
    """``x-gc.max_size`` counts in MB."""
    return int(field.gc.get("max_size") or MEGABYTES[field.kind]) * 2**20


def max_count(field: Field) -> int:
    return int(field.gc.get("max_count") or field.schema.get("maxItems") or (1 if field.kind == "signature" else 20))


def compresses(field: Field) -> bool:
    """``x-gc.compress``: what is uploaded here is made smaller in the background."""
    return field.gc.get("compress") is True
