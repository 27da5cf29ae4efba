"""Sealed envelopes for what goes to and comes from outside systems, whatever lines lie between (CMD-237, NFR-063).

A one-time SM4-GCM key, sealed by SM2 for the peer alone; the sender's SM2 signature over everything; the time and a
number that is used once, against replay; what it is about, against being sent elsewhere; the question's number in its
answer. Each side has two certificates, one to sign and one to seal (GM/T 0015). The envelope is a JSON object:

    {"v", "from", "to", "at", "nonce", "about", "answers", "key", "data", "sign"}

``from`` and ``to`` are SM3 of the certificates, ``at`` ISO 8601 UTC, ``key`` DER SM2Cipher, ``data`` nonce ‖ SM4-GCM text ‖
tag, both in base64; the text under ``sign`` is the header (the first seven, sorted, compact JSON) ‖ 0 ‖ key ‖ 0 ‖ data.
"""
from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import x509

from engine.kernel.gm.certificates import CertificateInvalid, certificates_in, read_certificate
from engine.kernel.gm.provider import SealBroken
from engine.kernel.gm.sm2 import sm2_encrypt, sm2_verify
from engine.kernel.gm.sm3 import sm3_hex
from engine.kernel.gm.sm4 import sm4_gcm_decrypt, sm4_gcm_encrypt

VERSION = "gc-envelope-1"
WINDOW = timedelta(minutes=5)
HEADER = ("v", "from", "to", "at", "nonce", "about", "answers")
NONCES = 100_000


class EnvelopeBroken(ValueError):
    """Not from the peer, not for us, altered, late, or seen before; the message is Chinese."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One side's own certificates (DER), and what it does with the keys behind them; these may live in a device."""

    signing: bytes
    sealing: bytes
    sign: Callable[[bytes], bytes]
    unseal: Callable[[bytes], bytes]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The other side's certificates (DER): the one it signs with and the one to seal for."""

    signing: bytes
    sealing: bytes


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What was in an envelope, and its number, which the answer names."""

    body: bytes
    nonce: str


class Nonces:
    """Numbers met lately, in memory; for one process. Safe for several threads."""

    def __init__(self) -> None:
        self._met: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def first(self, nonce: str, at: datetime) -> bool:
        """Is it met for the first time? Those older than two windows are forgotten: their envelopes are refused by their time."""
        with self._lock:
            if len(self._met) >= NONCES:
                self._met = {one: when for one, when in self._met.items() if when > at - 2 * WINDOW}
            if nonce in self._met or len(self._met) >= NONCES:
                return False
            self._met[nonce] = at
            return True


def read_peer(text: bytes) -> Peer:
    """The two certificates of a PEM file, told apart by their key usage; raises EnvelopeBroken."""
    try:
        found = certificates_in(text)
        uses = {_use(der): der for der in found}
        for der in found:
            read_certificate(der)
    except (ValueError, CertificateInvalid) as error:
        raise EnvelopeBroken(f"对方的证书读不出来：{error}") from None
    if set(uses) != {"sign", "seal"}:
        raise EnvelopeBroken("对方的证书文件里要有签名证书和加密证书各一张")
    return Peer(signing=uses["sign"], sealing=uses["seal"])


def seal(own: Identity, peer: Peer, body: bytes, *, about: str, at: datetime, answers: str = "") -> dict[str, str]:
    """``body`` in an envelope for ``peer``; ``about`` names what it is for, ``answers`` the number of the question."""
    _in_time(peer.sealing, at)
    head = dict(zip(HEADER, (VERSION, sm3_hex(own.signing), sm3_hex(peer.sealing), at.astimezone(UTC).isoformat(), secrets.token_hex(16), about, answers), strict=True))
    once = secrets.token_bytes(16)
    key = _text(sm2_encrypt(read_certificate(peer.sealing).public, once))
    data = _text(sm4_gcm_encrypt(once, body, _bytes(head)))
    return {**head, "key": key, "data": data, "sign": _text(own.sign(_signed(head, key, data)))}


def unseal(own: Identity, peer: Peer, given: Mapping[str, Any], *, about: str, at: datetime, first: Callable[[str, datetime], bool], answers: str = "") -> Opened:
    """What ``peer`` put into an envelope for us; ``first`` says whether its number is new. Raises EnvelopeBroken."""
    head = {name: given.get(name) for name in HEADER}
    key, data, sign = (given.get(name) for name in ("key", "data", "sign"))
    if not all(isinstance(one, str) for one in (*head.values(), key, data, sign)):
        raise EnvelopeBroken("不是加密信封")
    if head["v"] != VERSION or head["from"] != sm3_hex(peer.signing) or head["to"] != sm3_hex(own.sealing):
        raise EnvelopeBroken("加密信封不是约定的对方发给本方的")
    if not sm2_verify(read_certificate(peer.signing).public, _signed(head, str(key), str(data)), _raw(sign)):
        raise EnvelopeBroken("加密信封的签名不对，内容可能被改动")
    _in_time(peer.signing, at)
    _fresh(head, about=about, answers=answers, at=at)
    if not first(str(head["nonce"]), at):
        raise EnvelopeBroken("这个加密信封已经收过")
    try:
        body = sm4_gcm_decrypt(own.unseal(_raw(key)), _raw(data), _bytes(head))
    except (SealBroken, ValueError):
        raise EnvelopeBroken("加密信封打不开") from None
    return Opened(body=body, nonce=str(head["nonce"]))


def _fresh(head: Mapping[str, Any], *, about: str, answers: str, at: datetime) -> None:
    if head["about"] != about or head["answers"] != answers:
        raise EnvelopeBroken("加密信封是给别的请求的")
    try:
        sent = datetime.fromisoformat(str(head["at"]))
        late = abs(at - sent) > WINDOW
    except (ValueError, TypeError, OverflowError):
        raise EnvelopeBroken("加密信封的时间写得不对") from None
    if late or not 16 <= len(str(head["nonce"])) <= 64:
        raise EnvelopeBroken("加密信封的时间与本机相差超过五分钟，请核对两边的时钟")


def _in_time(certificate: bytes, at: datetime) -> None:
    facts = read_certificate(certificate)
    if not facts.valid_from <= at <= facts.valid_until:
        raise EnvelopeBroken(f"对方的证书“{facts.name}”不在有效期内，请换新证书")


def _use(der: bytes) -> str:
    uses = x509.Certificate.load(der).key_usage_value
    return "sign" if uses is not None and "digital_signature" in uses.native else "seal"


def _signed(head: Mapping[str, Any], key: str, data: str) -> bytes:
    return _bytes(head) + b"\0" + key.encode() + b"\0" + data.encode()


def _bytes(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _raw(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise EnvelopeBroken("不是加密信封") from None
