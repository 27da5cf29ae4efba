"""Opens a zip file from anywhere: every limit is checked before and while a member is read."""
from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from engine.kernel.gm import sm3_hex

MOST_MEMBERS = 20_000
LARGEST_MEMBER = 512 * 1024 * 1024
LARGEST_JSON = 128 * 1024 * 1024
LARGEST_WHOLE = 4 * 1024 * 1024 * 1024
STEEPEST = 200
"""A member that grows more than this when unpacked, and above a megabyte, is a bomb."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,3}\Z")


class ArchiveRefused(ValueError):
    """A file that isn't opened; the Chinese message says why and names the member."""


class Archive:
    """A case bundle on disk. Members are read one at a time and never written anywhere."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise ArchiveRefused(f"这不是案件导出文件，或文件不完整（{error}）。") from None
        self.members = {info.filename: info for info in self._checked()}

    def close(self) -> None:
        self._zip.close()

    def _checked(self) -> Iterator[zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MOST_MEMBERS:
            raise ArchiveRefused(f"文件里有 {len(infos)} 个成员，超过 {MOST_MEMBERS} 个，不打开。")
        if sum(info.file_size for info in infos) > LARGEST_WHOLE:
            raise ArchiveRefused("展开后超过 4 GB，不打开。")
        seen: set[str] = set()
        for info in infos:
            self._check(info, seen)
            seen.add(info.filename)
            yield info

    @staticmethod
    def _check(info: zipfile.ZipInfo, seen: set[str]) -> None:
        name = info.filename
        if not _NAME.match(name) or len(name) > 200 or info.orig_filename != name or info.is_dir() or (info.external_attr >> 28) == 0xA:
            raise ArchiveRefused(f"成员名不合规，可能想写到别处：{name[:80]!r}")
        if name in seen:
            raise ArchiveRefused(f"成员 {name} 出现两次，不知道该信哪一个。")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveRefused(f"成员 {name} 加了密，或用了不认识的压缩方法。")
        if info.file_size > LARGEST_MEMBER:
            raise ArchiveRefused(f"成员 {name} 展开后超过 512 MB，不打开。")
        if info.file_size > 1 << 20 and info.file_size > STEEPEST * max(info.compress_size, 1):
            raise ArchiveRefused(f"成员 {name} 的压缩比异常，像是压缩炸弹，不打开。")

    def read(self, name: str, *, most: int = LARGEST_MEMBER) -> bytes:
        """The bytes of a member, never more than it declared; raises ArchiveRefused."""
        info = self.members.get(name)
        if info is None:
            raise ArchiveRefused(f"缺少成员 {name}")
        if info.file_size > most:
            raise ArchiveRefused(f"成员 {name} 过大")
        try:
            with self._zip.open(info) as stream:
                data = stream.read(info.file_size + 1)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise ArchiveRefused(f"成员 {name} 损坏：{error}") from None
        except Exception as error:  # zlib.error has no public base class
            raise ArchiveRefused(f"成员 {name} 不能展开：{error}") from None
        if len(data) != info.file_size:
            raise ArchiveRefused(f"成员 {name} 的长度与目录不符")
        return data

    def json(self, name: str) -> Any:
        """A JSON member; raises ArchiveRefused."""
        try:
            return orjson.loads(self.read(name, most=LARGEST_JSON))
        except orjson.JSONDecodeError as error:
            raise ArchiveRefused(f"成员 {name} 不是合法的 JSON：{error}") from None

    def sm3(self, name: str) -> str:
        """SM3 in hex of a member."""
        return sm3_hex(self.read(name))
