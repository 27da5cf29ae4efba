"""Tells what a file is by its content, never by its name; knows the few types that the platform keeps."""

from __future__ import annotations

import io
import zipfile

JPEG, PNG, WEBP, PDF = "image/jpeg", "image/png", "image/webp", "application/pdf"
MP4, MP3, ZIP = "video/mp4", "audio/mpeg", "application/zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
IMAGES = (JPEG, PNG, WEBP)

_STARTS = ((b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG), (b"ID3", MP3), (b"\xff\xfb", MP3), (b"\xff\xf3", MP3), (b"\xff\xf2", MP3))
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"#!", b"dex\n", b"!<arch>")
_PROGRAM_ENDINGS = (
    ".exe",
    ".dll",
    ".bat",
    ".cmd",
    ".com",
    ".scr",
    ".msi",
    ".ps1",
    ".vbs",
    ".vbe",
    ".js",
    ".jse",
    ".wsf",
    ".hta",
    ".lnk",
    ".jar",
    ".apk",
    ".sh",
    ".app",
    ".reg",
    ".cpl",
    ".pif",
)
_MOST_ENTRIES = 5000
_MOST_UNPACKED = 2 * 2**30
_BOMB = 20 * 2**20
"""From so many unpacked bytes on, an archive that unpacks to more than 200 times its size is made to fill a disk."""


class Refused(ValueError):
    """The content may not be kept; the message says in Chinese why."""


def sniff(data: bytes) -> str | None:
    """The content type, or None for one that is not known; raises Refused for programs, macros and archives that are unsafe."""
    if data.startswith(_PROGRAMS):
        raise Refused("这是可执行程序或脚本，不能上传。")
    for start, content_type in _STARTS:
        if data.startswith(start):
            return content_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if b"%PDF-" in data[:1024]:
        return PDF
    if data[4:8] == b"ftyp":
        return MP4
    return _archive(data) if data.startswith(b"PK\x03\x04") else None


def _archive(data: bytes) -> str:
    """docx, xlsx or zip, by what the archive's list of contents names; nothing is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise Refused("压缩包已损坏，打不开。请重新压缩后再传。") from None
    names = [entry.filename.lower() for entry in entries]
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(_BOMB, 200 * len(data)):
        raise Refused("压缩包压得异常地紧，像是用来塞满磁盘的，不能上传。")
    if len(entries) > _MOST_ENTRIES or unpacked > _MOST_UNPACKED:
        raise Refused("压缩包展开后太大或文件太多，请拆开后再传。")
    if any(name.endswith("vbaproject.bin") for name in names):
        raise Refused("文件里带有宏，请另存为不带宏的 docx 或 xlsx 后再传。")
    if "[content_types].xml" in names:
        if "word/document.xml" in names:
            return DOCX
        if "xl/workbook.xml" in names:
            return XLSX
    if any(name.endswith(_PROGRAM_ENDINGS) for name in names):
        raise Refused("压缩包里有可执行程序或脚本，不能上传。")
    return ZIP
