"""Envelopes: only the peer opens them, once, in time, for what they are about; both implementations of SM2 encryption agree."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.gm import KeyRing, SealBroken, sm2_decrypt, sm2_encrypt
from engine.kernel.gm.certificates import to_pem
from engine.kernel.gm.envelope import HEADER, EnvelopeBroken, Identity, Nonces, Peer, read_peer, seal, unseal
from engine.kernel.gm.provider import get_provider

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)


def side(folder: Path) -> tuple[Identity, Peer]:
    own = KeyRing(folder).identity
    return own, read_peer((to_pem(own.sealing, "CERTIFICATE") + to_pem(own.signing, "CERTIFICATE")).encode())


def test_both_implementations_open_what_the_other_sealed_and_nothing_altered() -> None:
    one, other = get_provider("libcrypto"), get_provider("gmssl")
    pair = one.sm2_generate()
    for sender, reader in ((one, other), (other, one)):
        for size in (1, 16, 33, 200):
            sealed = sender.sm2_encrypt(pair.public, bytes(range(size)))
            assert reader.sm2_decrypt(pair.private, sealed) == bytes(range(size))
    sealed = sm2_encrypt(pair.public, b"k" * 16)
    for bad in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:40], b"", b"0" * 200, sealed[:10] + bytes([sealed[10] ^ 1]) + sealed[11:]):
        for reader in (one, other):
            with pytest.raises(SealBroken):
                reader.sm2_decrypt(pair.private, bad)
    with pytest.raises(SealBroken):
        sm2_decrypt(one.sm2_generate().private, sealed)
    with pytest.raises(ValueError):
        sm2_encrypt(pair.public, b"")


def test_an_envelope_is_opened_once_by_its_peer_and_by_nobody_else(tmp_path: Path) -> None:
    (us, us_peer), (them, them_peer), (third, third_peer) = (side(tmp_path / name) for name in ("us", "them", "third"))
    sent = seal(us, them_peer, "案件信息".encode(), about="request", at=AT)
    assert "案件" not in str(sent) and unseal(them, us_peer, sent, about="request", at=AT, first=Nonces().first).body.decode() == "案件信息"
    met = Nonces()
    assert unseal(them, us_peer, sent, about="request", at=AT, first=met.first).nonce == sent["nonce"]
    refused: list[tuple[Identity, Peer, Any, dict[str, Any]]] = [
        (them, us_peer, sent, {"first": met.first}), (third, us_peer, sent, {}), (them, third_peer, sent, {}), (them, us_peer, sent, {"about": "answer"}), (them, us_peer, sent, {"answers": "x"}),
        (them, us_peer, sent, {"at": AT + timedelta(minutes=6)}), (them, us_peer, sent, {"at": AT - timedelta(minutes=6)}), (them, us_peer, {}, {}), (them, us_peer, {**sent, "nonce": 7}, {}),
        (them, us_peer, sent, {"at": datetime(2051, 1, 1, tzinfo=UTC)}),
        *((them, us_peer, {**sent, name: sent[name][:-1] + ("A" if sent[name][-1:] != "A" else "B")}, {}) for name in (*HEADER, "key", "data", "sign")),
        (them, us_peer, {**sent, "sign": seal(third, them_peer, b"x", about="request", at=AT)["sign"]}, {}),
    ]
    for own, peer, given, more in refused:
        with pytest.raises(EnvelopeBroken):
            unseal(own, peer, given, **{"about": "request", "at": AT, "first": Nonces().first, **more})
    with pytest.raises(EnvelopeBroken, match="各一张"):
        read_peer(to_pem(us.signing, "CERTIFICATE").encode())


def test_numbers_are_forgotten_only_when_their_envelopes_are_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.kernel.gm.envelope.NONCES", 3)
    met = Nonces()
    assert [met.first(one, AT) for one in "aab"] == [True, False, True] and met.first("c", AT) and not met.first("d", AT)
    assert met.first("d", AT + timedelta(minutes=11)) and not met.first("d", AT + timedelta(minutes=11))
