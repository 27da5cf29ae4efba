"""The same tests for keys in files and keys in a device behind a socket."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli.hsm_simulator import make_server
from engine.kernel.gm import KeyRing, sm2_verify
from engine.kernel.gm.certificates import read_certificate
from engine.kernel.gm.keyring import KeyFileUnsafe
from engine.kernel.gm.provider import ProviderUnavailable, SealBroken
from engine.kernel.gm.vaults import open_vault, schemes


@pytest.fixture(params=["file", "socket"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "file":
        yield "file"
        return
    (tmp_path / "device").mkdir()
    server = make_server(tmp_path / "hsm.sock", tmp_path / "device")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"socket:{tmp_path / 'hsm.sock'}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_vault_signs_with_keys_of_its_own_and_seals_what_lies_outside(address: str, tmp_path: Path) -> None:
    assert schemes() == ["file", "socket"]
    vault = open_vault(address, tmp_path)
    assert sm2_verify(vault.public("audit_1"), b"data", vault.sign("audit_1", b"data"))
    assert vault.public("audit_1") != vault.public("audit_2")
    assert vault.unwrap(vault.wrap(b"secret")) == b"secret"


def test_a_key_ring_works_the_same_on_every_vault(address: str, tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "data", vault=address)
    signer = ring.signer("audit")
    assert sm2_verify(read_certificate(signer.certificate).public, b"x", signer.sign(b"x"))
    again = KeyRing(tmp_path / "data", vault=address)
    assert again.decrypt(ring.encrypt(b"text", b"a"), b"a") == b"text" and again.index(b"n") == ring.index(b"n")
    raw = (tmp_path / "data" / "keys" / "data_1.key").read_text()
    assert raw.startswith("wrapped:") == address.startswith("socket")
    assert (tmp_path / "data" / "keys" / "sign_audit_1.key").exists() == (address == "file")


def test_keys_of_another_device_and_a_silent_device_are_told_in_chinese(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    server = make_server(tmp_path / "one.sock", tmp_path / "one")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        vault = open_vault(f"socket:{tmp_path / 'one.sock'}", tmp_path)
        with pytest.raises(SealBroken):
            vault.unwrap(b"\1" * 60)
        with pytest.raises(ProviderUnavailable, match="拒绝"):
            vault.sign("../etc/passwd", b"")
        KeyRing(tmp_path / "data", vault=f"socket:{tmp_path / 'one.sock'}")
        (tmp_path / "one" / "wrap.key").unlink()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    with pytest.raises(ProviderUnavailable, match="没有应答"):
        vault.public("audit_1")
    (tmp_path / "two").mkdir()
    other = make_server(tmp_path / "two.sock", tmp_path / "two")
    thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        with pytest.raises(KeyFileUnsafe, match="不是这台设备封的"):
            _ = KeyRing(tmp_path / "data", vault=f"socket:{tmp_path / 'two.sock'}").data_key
    finally:
        other.shutdown()
        other.server_close()
        thread.join()
    for wrong in ("socket:", "cloud:x"):
        with pytest.raises(ProviderUnavailable):
            open_vault(wrong, tmp_path)
