import io
import zipfile

import pytest

from engine.form_filling.sniff import DOCX, JPEG, MP3, MP4, PDF, PNG, WEBP, XLSX, ZIP, Refused, sniff


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as into:
        for name in names:
            into.writestr(name, "x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"\xff\xd8\xff\xe0rest", JPEG),
        (b"\x89PNG\r\n\x1a\nrest", PNG),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", WEBP),
        (b"\xef\xbb\xbf%PDF-1.7", PDF),
        (b"\x00\x00\x00\x18ftypmp42", MP4),
        (b"ID3\x04", MP3),
        (b"\xff\xfb\x90", MP3),
        (archive("[Content_Types].xml", "word/document.xml"), DOCX),
        (archive("[Content_Types].xml", "xl/workbook.xml"), XLSX),
        (archive("a.txt"), ZIP),
        (b"hello", None),
        (b"", None),
        (b"<svg onload=alert(1)>", None),
        (b"<html>", None),
    ],
)
def test_content_tells_the_type(data: bytes, content_type: str | None) -> None:
    assert sniff(data) == content_type


@pytest.mark.parametrize(
    "data",
    [
        b"MZ\x90",
        b"\x7fELF",
        b"#!/bin/sh",
        archive("setup.EXE"),
        archive("a/b.js"),
        archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
        b"PK\x03\x04broken",
    ],
)
def test_programs_macros_and_broken_archives_are_refused(data: bytes) -> None:
    with pytest.raises(Refused, match=r"[。]"):
        sniff(data)
