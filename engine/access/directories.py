"""Other houses that may say who somebody is: OpenID Connect and LDAP, both off until ``data_dir/sign_in.json`` (mode 600) names them.

``{"openid": {"issuer", "client_id", "client_secret", "claim", "title", "scope", "ca"}, "ldap": {"url", "base", "attribute",
"account_attribute", "bind_dn", "bind_password", "start_tls", "ca"}}``. ``claim`` and ``account_attribute`` hold the login of the
account here; nobody gets an account by coming from another house.
"""
from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import orjson

from engine.kernel.errors import Invalid
from engine.kernel.gm import KeyRing
from engine.kernel.gm.sm4 import SealBroken
from engine.kernel.sealed_config import read_configuration

FILE = "sign_in.json"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class OpenId:
    """An OpenID provider. ``ca``: a PEM file with the roots of its HTTPS certificate."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    claim: str = "preferred_username"
    title: str = "统一认证"
    scope: str = "openid profile"
    ca: str = ""


@dataclass(frozen=True, kw_only=True)
class Ldap:
    """A directory. People are looked for below ``base`` by ``attribute``; ``start_tls`` is only ever off on one's own machine."""

    url: str
    base: str
    attribute: str = "uid"
    account_attribute: str = "uid"
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    start_tls: bool = True
    ca: str = ""


@dataclass(frozen=True, kw_only=True)
class Directories:
    """What is configured."""

    openid: OpenId | None = None
    ldap: Ldap | None = None


def read_directories(data_dir: Path, keys: KeyRing | None = None) -> Directories:
    """What ``sign_in.json`` says, its passwords opened with ``keys``; nothing without it. Raises Invalid where it is wrong."""
    file = data_dir / FILE
    if not file.exists():
        return Directories()
    try:
        given = read_configuration(file, keys, private=True)
        return Directories(openid=_made(OpenId, given.get("openid")), ldap=_made(Ldap, given.get("ldap")))
    except (orjson.JSONDecodeError, SealBroken, TypeError, AttributeError) as error:
        raise Invalid(f"{file} 的内容不对：{error}") from None


def _made(kind: type[T], given: dict[str, Any] | None) -> T | None:
    if given is None:
        return None
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    if unknown := set(given) - known:
        raise TypeError(f"没有这些设置：{'、'.join(sorted(unknown))}")
    return kind(**given)
