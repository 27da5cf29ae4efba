"""The address of who asks, behind a proxy that the deployment names; from anybody else X-Forwarded-For is only text."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from engine.access.sign_in_bounds import plain_address

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Network = IPv4Network | IPv6Network


class BehindProxies:
    """WSGI middleware: REMOTE_ADDR becomes the last address of X-Forwarded-For that is none of our ``proxies``."""

    def __init__(self, app: Wsgi, proxies: Sequence[str]) -> None:
        self.app = app
        self.networks = [ip_network(text, strict=False) for text in proxies]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        forwarded = environ.pop("HTTP_X_FORWARDED_FOR", "")
        if self.networks and forwarded:
            environ["REMOTE_ADDR"] = client_address(environ.get("REMOTE_ADDR", ""), forwarded, self.networks)
        environ["REMOTE_ADDR"] = plain_address(environ.get("REMOTE_ADDR", ""))
        return self.app(environ, start_response)


def client_address(peer: str, forwarded: str, networks: Sequence[Network]) -> str:
    """Walk from our own peer outwards as long as the address is one of our proxies'; what can't be read ends the walk."""
    address = plain_address(peer)
    for hop in reversed(forwarded[-2000:].split(",")):
        if not _inside(address, networks):
            break
        hop = plain_address(hop.strip().strip("[]"))
        try:
            ip_address(hop)
        except ValueError:
            break
        address = hop
    return address


def _inside(address: str, networks: Sequence[Network]) -> bool:
    try:
        one = ip_address(address)
    except ValueError:
        return False
    return any(one in network for network in networks)
