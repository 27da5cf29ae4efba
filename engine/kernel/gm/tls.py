"""TLS 1.3 with the national algorithms (RFC 8998: TLS_SM4_GCM_SM3, curveSM2, sm2sig_sm3), over the OpenSSL 4 that ``cryptography`` carries.

Python's own ``ssl`` has OpenSSL 3, which knows none of these. The binding is the one pyOpenSSL builds on; ``available``
says whether this installation has the suite. Certificates are checked by us against the roots that are given, not by OpenSSL.
"""
from __future__ import annotations

import io
import socket
import threading
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from engine.kernel.gm.certificates import CertificateFacts, CertificateInvalid, check_issued
from engine.kernel.gm.provider import ProviderUnavailable

SUITE = b"TLS_SM4_GCM_SM3"
_CHUNK = 16_384
_WANT_READ, _ZERO_RETURN = 2, 6


class GmTlsError(ConnectionError):
    """The other side does not speak RFC 8998, or is not who it should be; the message is Chinese."""


@cache
def _binding() -> tuple[Any, Any]:
    """(lib, ffi); raises ProviderUnavailable where this OpenSSL lacks the suite."""
    try:
        from cryptography.hazmat.bindings.openssl.binding import Binding
    except ImportError:
        raise ProviderUnavailable("没有可用的 OpenSSL 4（cryptography 包）") from None
    found = Binding()
    lib, ffi = found.lib, found.ffi
    context = lib.SSL_CTX_new(lib.TLS_method())
    good = lib.SSL_CTX_set_ciphersuites(context, SUITE) == 1 and lib.SSL_CTX_set1_curves_list(context, b"curveSM2") == 1
    lib.SSL_CTX_free(context)
    lib.ERR_clear_error()
    if not good:
        raise ProviderUnavailable("cryptography 包里的 OpenSSL 没有 TLS_SM4_GCM_SM3（RFC 8998），需要 OpenSSL 4")
    return lib, ffi


def available() -> bool:
    """Can this installation speak TLS with SM2, SM3 and SM4?"""
    try:
        return bool(_binding())
    except ProviderUnavailable:
        return False


class GmContext:
    """What one side brings: a server its certificate chain and key (PEM files), a client nothing. Only RFC 8998 is spoken, TLS 1.3 alone."""

    def __init__(self, *, certificate: Path | None = None, key: Path | None = None) -> None:
        lib, ffi = _binding()
        self.server = certificate is not None
        self._context = ffi.gc(lib.SSL_CTX_new(lib.TLS_method()), lib.SSL_CTX_free)
        steps = [
            lib.SSL_CTX_set_min_proto_version(self._context, 0x0304), lib.SSL_CTX_set_ciphersuites(self._context, SUITE),
            lib.SSL_CTX_set1_curves_list(self._context, b"curveSM2"), lib.SSL_CTX_set1_sigalgs_list(self._context, b"sm2sig_sm3"),
        ]
        if certificate is not None and key is not None:
            steps += [
                lib.SSL_CTX_use_certificate_chain_file(self._context, str(certificate).encode()), lib.SSL_CTX_use_PrivateKey_file(self._context, str(key).encode(), 1),
                lib.SSL_CTX_check_private_key(self._context),
            ]
        lib.ERR_clear_error()
        if 0 in steps or -1 in steps:
            raise ProviderUnavailable("国密 TLS 的证书或私钥用不了：要 PEM 格式的 SM2 证书和与它成对的私钥")

    def wrap(self, line: socket.socket) -> GmSocket:
        """The handshake over a connected socket; raises GmTlsError or OSError, and closes the socket then."""
        lib, ffi = _binding()
        session = ffi.gc(lib.SSL_new(self._context), lib.SSL_free)
        return GmSocket(line, session, server=self.server)


class GmSocket:
    """A connected line under TLS. Reading and writing may be done by two threads at once."""

    def __init__(self, line: socket.socket, session: Any, *, server: bool) -> None:
        self._lib, self._ffi = _binding()
        self._line, self._session, self._lock = line, session, threading.Lock()
        self._files, self._closing = 0, False
        self._in, self._out = self._lib.BIO_new(self._lib.BIO_s_mem()), self._lib.BIO_new(self._lib.BIO_s_mem())
        self._lib.SSL_set_bio(session, self._in, self._out)  # the session frees both
        self._buffer = self._ffi.new("char[]", _CHUNK)
        (self._lib.SSL_set_accept_state if server else self._lib.SSL_set_connect_state)(session)
        try:
            self._shake()
        except OSError:
            line.close()
            raise

    def _shake(self) -> None:
        while True:
            with self._lock:
                done = self._lib.SSL_do_handshake(self._session)
                problem = self._lib.SSL_get_error(self._session, done)
                self._lib.ERR_clear_error()
                sealed = self._pending()
            self._line.sendall(sealed)
            if done == 1:
                return
            if problem != _WANT_READ or not self._feed():
                raise GmTlsError("国密 TLS 握手没有成功：对方不支持 TLS_SM4_GCM_SM3（RFC 8998）")

    def suite(self) -> str:
        """The cipher suite in use."""
        return str(self._ffi.string(self._lib.SSL_CIPHER_get_name(self._lib.SSL_get_current_cipher(self._session))).decode())

    def peer(self) -> bytes:
        """The certificate (DER) that the other side proved to hold the key of."""
        found = self._lib.SSL_get_peer_certificate(self._session)
        if found == self._ffi.NULL:
            raise GmTlsError("对方没有出示证书")
        out = self._ffi.gc(self._lib.BIO_new(self._lib.BIO_s_mem()), self._lib.BIO_free)
        self._lib.i2d_X509_bio(out, found)
        self._lib.X509_free(found)
        der = self._ffi.new("char[]", _CHUNK)
        return bytes(self._ffi.buffer(der, max(self._lib.BIO_read(out, der, _CHUNK), 0)))

    def require_peer(self, *, roots: Sequence[bytes], name: str, at: datetime) -> CertificateFacts:
        """The other side's certificate, issued by one of ``roots`` (DER) to ``name`` and valid; raises GmTlsError."""
        der, problem = self.peer(), "没有信任的根证书"
        for root in roots:
            try:
                facts = check_issued(der, root=root, at=at)
            except CertificateInvalid as error:
                problem = str(error)
                continue
            if facts.name != name:
                raise GmTlsError(f"国密证书是“{facts.name}”的，不是“{name}”的")
            return facts
        raise GmTlsError(f"对方的国密证书不能信任：{problem}")

    def recv(self, most: int = _CHUNK) -> bytes:
        """Up to ``most`` bytes; empty when the other side has said goodbye or hung up."""
        plain = self._ffi.new("char[]", min(most, _CHUNK))
        while True:
            with self._lock:
                got = self._lib.SSL_read(self._session, plain, min(most, _CHUNK))
                problem = self._lib.SSL_get_error(self._session, got) if got <= 0 else 0
                self._lib.ERR_clear_error()
                sealed = self._pending()
            if sealed:
                self._line.sendall(sealed)
            if got > 0:
                return bytes(self._ffi.buffer(plain, got))
            if problem == _ZERO_RETURN:
                return b""
            if problem != _WANT_READ:
                raise GmTlsError("国密 TLS 的数据被改动或对方中断了")
            if not self._feed():
                return b""

    def sendall(self, data: bytes | memoryview) -> None:
        view = bytes(data)
        for start in range(0, len(view), _CHUNK):
            part = view[start : start + _CHUNK]
            with self._lock:
                wrote = self._lib.SSL_write(self._session, part, len(part))
                self._lib.ERR_clear_error()
                sealed = self._pending()
            if wrote != len(part):
                raise GmTlsError("国密 TLS 的连接已经关闭")
            self._line.sendall(sealed)

    def close(self) -> None:
        """Say goodbye and hang up, once every file over this line is closed too."""
        self._closing = True
        if self._files:
            return
        try:
            with self._lock:
                self._lib.SSL_shutdown(self._session)
                self._lib.ERR_clear_error()
                sealed = self._pending()
            self._line.sendall(sealed)
        except OSError:
            pass
        finally:
            self._line.close()

    def settimeout(self, seconds: float | None) -> None:
        self._line.settimeout(seconds)

    def makefile(self, mode: str = "rb", *args: Any, **more: Any) -> io.BufferedReader:
        """For http.client, which reads answers from a file."""
        self._files += 1
        return io.BufferedReader(_Reading(self))

    def file_closed(self) -> None:
        self._files -= 1
        if self._closing:
            self.close()

    def _feed(self) -> bool:
        data = self._line.recv(_CHUNK)
        with self._lock:
            if data:
                self._lib.BIO_write(self._in, data, len(data))
        return bool(data)

    def _pending(self) -> bytes:
        """What is to be sent; the caller holds the lock."""
        found = []
        while (got := self._lib.BIO_read(self._out, self._buffer, _CHUNK)) > 0:
            found.append(bytes(self._ffi.buffer(self._buffer, got)))
        return b"".join(found)


class _Reading(io.RawIOBase):
    """A raw file over a GmSocket."""

    def __init__(self, line: GmSocket) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._line.file_closed()

    def readinto(self, into: Any) -> int:
        data = self._line.recv(len(into))
        into[: len(data)] = data
        return len(data)

