"""Passwords kept in a directory: the entry is looked for with our own account, the password is tried by binding as that entry."""
from __future__ import annotations

import ssl

import structlog
from ldap3 import AUTO_BIND_NO_TLS, AUTO_BIND_TLS_BEFORE_BIND, NONE, SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPBindError, LDAPException
from ldap3.utils.conv import escape_filter_chars

from engine.access.directories import Ldap

log = structlog.get_logger(__name__)
PATIENCE = 5
NOBODY = ""


def vouches(config: Ldap, *, login: str, password: str) -> str:
    """The login here of the person whose directory password this is, or "" when the directory doesn't vouch (or doesn't answer).

    An empty password never counts: a directory takes it for an anonymous bind and says yes. Two entries for one name are nobody.
    """
    if not password or not login or "\0" in password:
        return NOBODY
    try:
        server = _server(config)
        with _bound(config, server, config.bind_dn, config.bind_password) as reader:
            wanted = f"({config.attribute}={escape_filter_chars(login.strip())})"
            reader.search(config.base, wanted, search_scope=SUBTREE, attributes=[config.account_attribute], size_limit=2, time_limit=PATIENCE)
            entries = [one for one in reader.response or () if one.get("type") == "searchResEntry"]
        if len(entries) != 1:
            return NOBODY
        with _bound(config, server, entries[0]["dn"], password):
            values = entries[0]["attributes"].get(config.account_attribute) or []
            found = values if isinstance(values, list) else [values]
            return str(found[0]).lower() if len(found) == 1 else NOBODY
    except LDAPBindError:
        return NOBODY
    except LDAPException as error:
        log.warning("ldap_away", url=config.url, error=type(error).__name__)
        return NOBODY


def _server(config: Ldap) -> Server:
    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=config.ca or None, version=ssl.PROTOCOL_TLS_CLIENT)
    return Server(config.url, tls=tls, get_info=NONE, connect_timeout=PATIENCE)


def _bound(config: Ldap, server: Server, user: str, password: str) -> Connection:
    """A connection bound as ``user``, under TLS before any password is sent; raises LDAPBindError on a wrong one."""
    under_tls = config.start_tls and not config.url.startswith("ldaps:")
    return Connection(
        server, user=user or None, password=password or None, auto_bind=AUTO_BIND_TLS_BEFORE_BIND if under_tls else AUTO_BIND_NO_TLS,
        read_only=True, receive_timeout=PATIENCE, auto_referrals=False, raise_exceptions=False,
    )
