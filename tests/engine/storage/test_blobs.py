"""Files by their SM3."""
from __future__ import annotations

from pathlib import Path

import pytest

from engine.kernel.errors import NotFound
from engine.kernel.gm import sm3_hex
from engine.storage.blobs import BlobStore


def test_what_is_put_comes_back_under_its_sm3(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    sm3 = store.put("立案审批表".encode())
    assert sm3 == sm3_hex("立案审批表".encode())
    assert store.get(sm3).decode() == "立案审批表"
    assert store.exists(sm3)


def test_the_same_bytes_are_stored_once_and_nothing_is_left_beside_them(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    store.put(b"same")
    before = store.path(sm3_hex(b"same")).stat().st_mtime_ns
    store.put(b"same")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [store.path(sm3_hex(b"same"))]
    assert files[0].stat().st_mtime_ns == before


def test_missing_bytes_are_not_found_and_a_path_is_never_made_from_other_text(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    with pytest.raises(NotFound):
        store.get("0" * 64)
    with pytest.raises(ValueError, match="SM3"):
        store.path("../../etc/passwd")


def test_removed_bytes_are_gone_and_removing_twice_is_no_error(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    sm3 = store.put(b"orphan")
    store.remove(sm3)
    store.remove(sm3)
    assert not store.exists(sm3)
