"""Where private keys live and sign: a file beside the data, or a device outside the process (HSM, cloud signature service).

A vault is a module of this package; its name is the scheme of the address that chooses it: ``file``, ``socket:/path``,
``socket:host:port``. A vendor's device is one more module with a function ``open_vault(rest, folder)``.
"""
from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Protocol

from engine.kernel.gm.provider import ProviderUnavailable


class Vault(Protocol):
    """Keys by name. ``name`` tells people where keys are. Names are lower-case words with ``_`` and a version: ``audit_1``."""

    name: str

    def public(self, key: str) -> bytes:
        """The 65-byte public key of ``key``, which is made at first need."""
        ...

    def sign(self, key: str, data: bytes) -> bytes:
        """The DER signature (SM2 over SM3) of ``data``; the private key never leaves the vault."""
        ...

    def decrypt(self, key: str, sealed: bytes) -> bytes:
        """What somebody sealed for the public key of ``key`` by ``sm2_encrypt``; raises SealBroken."""
        ...

    def wrap(self, secret: bytes) -> bytes:
        """``secret`` sealed under the vault's own key, for keys at rest outside of it."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """What ``wrap`` sealed; raises SealBroken."""
        ...


def schemes() -> list[str]:
    """Names of the vaults that are installed."""
    return sorted(info.name for info in pkgutil.iter_modules(__path__))


def open_vault(address: str, folder: Path) -> Vault:
    """The vault at ``address`` (``file`` by default); raises ProviderUnavailable for an unknown scheme or a silent device."""
    scheme, _, rest = (address or "file").partition(":")
    if scheme not in schemes():
        raise ProviderUnavailable(f"没有名为“{scheme}”的密码设备接口，可选：{'、'.join(schemes())}。请检查环境变量 GUICHENG_CRYPTO。")
    vault: Vault = import_module(f"{__name__}.{scheme}").open_vault(rest, folder)
    return vault
