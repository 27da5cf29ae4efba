"""An OpenID Connect client: code flow with PKCE, ``state`` once and for one browser, ``nonce``, signature, issuer and audience checked."""
from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection

from engine.access import one_time
from engine.access.directories import OpenId
from engine.kernel.errors import GuichengError, Unavailable

KIND = "openid"
PATIENCE = 10
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
AWAY = "统一认证现在没有应答，请稍后再试，或用密码登录。"


class NotProved(GuichengError):
    """The provider's answer proves nothing; ``why`` is for the record."""

    status = 422
    code = "openid_refused"

    def __init__(self, why: str) -> None:
        super().__init__("统一认证没有通过，请重新登录。")
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Provider:
    """What the provider says of itself."""

    config: OpenId
    authorize: str
    token: str
    keys: str


def discover(config: OpenId) -> Provider:
    """The provider's addresses; raises Unavailable when it doesn't answer or isn't the issuer it should be."""
    said = _fetch(config, config.issuer.rstrip("/") + "/.well-known/openid-configuration")
    if said.get("issuer") != config.issuer:
        raise Unavailable(AWAY, code="openid_issuer")
    here = urlsplit(config.issuer).scheme
    found = [str(said.get(name, "")) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    if any(urlsplit(one).scheme not in {here, "https"} for one in found):
        raise Unavailable(AWAY, code="openid_addresses")
    return Provider(config=config, authorize=found[0], token=found[1], keys=found[2])


def begin(connection: Connection, provider: Provider, *, back: str, browser: str, wanted: str, at: datetime) -> str:
    """The address to send the browser to. ``back`` is our own address, ``wanted`` the page to open afterwards."""
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    detail = {"verifier": verifier, "nonce": nonce, "browser": browser, "wanted": wanted}
    state = one_time.new_step(connection, kind=KIND, detail=detail, at=at, lives=timedelta(minutes=10))
    address, _ = _session(provider.config, back).create_authorization_url(provider.authorize, state=state, nonce=nonce, code_verifier=verifier)
    return str(address)


def take_state(connection: Connection, *, state: str, at: datetime) -> dict[str, Any] | None:
    """What ``begin`` kept, and it is gone, whoever asks; None when unknown, used or expired. Commit before ``require_browser`` judges it."""
    return one_time.take_step(connection, kind=KIND, token=state, at=at)


def require_browser(kept: dict[str, Any] | None, browser: str) -> dict[str, Any]:
    """What was kept for this browser; raises NotProved."""
    if kept is None or kept["browser"] != browser:
        raise NotProved("state 无效")
    return kept


def finish(provider: Provider, *, code: str, kept: dict[str, Any], back: str, at: datetime) -> str:
    """The login that the provider vouches for; raises NotProved or Unavailable. Holds no database connection."""
    client = _session(provider.config, back)
    try:
        token = client.fetch_token(provider.token, code=code, code_verifier=kept["verifier"], timeout=PATIENCE, verify=provider.config.ca or True)
    except requests.RequestException:
        raise Unavailable(AWAY) from None
    except Exception as error:  # Authlib's errors share no base with a name of its own
        raise NotProved(f"换取令牌被拒绝：{type(error).__name__}") from None
    return check_id_token(provider, str(token.get("id_token", "")), nonce=kept["nonce"], keys=_fetch(provider.config, provider.keys), at=at)


def check_id_token(provider: Provider, id_token: str, *, nonce: str, keys: dict[str, Any], at: datetime) -> str:
    """The login in a signed token that was made for us, now, in answer to our ``nonce``; raises NotProved."""
    config = provider.config
    registry = jwt.JWTClaimsRegistry(
        now=int(at.timestamp()), leeway=60, iss={"essential": True, "value": config.issuer}, aud={"essential": True, "value": config.client_id},
        exp={"essential": True}, iat={"essential": True}, sub={"essential": True}, nonce={"essential": True, "value": nonce},
    )
    try:
        claims = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims  # type: ignore[arg-type]
        registry.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise NotProved(f"令牌无效：{type(error).__name__}") from None
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != config.client_id:
        raise NotProved("令牌不是给本平台的")
    login = claims.get(config.claim)
    if not isinstance(login, str) or not login:
        raise NotProved(f"令牌里没有 {config.claim}")
    return login


def _session(config: OpenId, back: str) -> Any:
    return OAuth2Session(
        config.client_id, config.client_secret or None, scope=config.scope, redirect_uri=back, code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if config.client_secret else "none",
    )


def _fetch(config: OpenId, address: str) -> dict[str, Any]:
    try:
        answer = requests.get(address, timeout=PATIENCE, verify=config.ca or True, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError):
        raise Unavailable(AWAY) from None
    return found if isinstance(found, dict) else {}
