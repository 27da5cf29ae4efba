"""Where and when one may sign in: address ranges (IPv4 and IPv6) and hours of the day, as the dated policy says.

GB/T 22239 8.1.4.2 asks for it; NFM-061 names both. Asked once the identity is proved, so that nobody learns the rule by guessing.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from engine.kernel.clock import SHANGHAI

if TYPE_CHECKING:
    from engine.access.sign_in_policy import Policy

GUARDS = frozenset({"admin", "auditor", "security"})


def plain_address(text: str) -> str:
    """An address in its one form: an IPv4 address that came over an IPv6 socket (``::ffff:192.0.2.3``) is IPv4; what is none stays as it is."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return text
    return str(_unmapped(found))


def within(address: str, networks: Iterable[str]) -> bool:
    """Does ``address`` lie in one of ``networks``?"""
    try:
        found = _unmapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return any(found in read_network(one) for one in networks)


def read_network(text: str) -> IPv4Network | IPv6Network:
    """``192.0.2.0/24``, ``2001:db8::/32`` or one address; raises ValueError."""
    return ip_network(text.strip(), strict=False)


def read_hours(text: str) -> tuple[time, time]:
    """``07:00-22:00`` as two times of the day in Shanghai; the second may be earlier (over midnight). Raises ValueError."""
    first, _, last = text.replace("—", "-").replace("–", "-").partition("-")
    found = time.fromisoformat(first.strip()), time.fromisoformat(last.strip())
    if found[0] == found[1] or any(one.tzinfo or one.second or one.microsecond for one in found):
        raise ValueError(text)
    return found


def within_hours(at: datetime, hours: str) -> bool:
    """Is ``at`` inside ``hours``, the first minute included and the last not?"""
    (first, last), now = read_hours(hours), at.astimezone(SHANGHAI).time()
    return first <= now < last if first < last else now >= first or now < last


def problems(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, message) of every range or time in a changed policy that can't be read."""
    for name in ("networks", "guard_networks"):
        for one in given.get(name, ()):
            try:
                read_network(str(one))
            except ValueError:
                yield name, f"“{str(one)[:60]}”不是地址范围，应写成 192.0.2.0/24、2001:db8::/32 或一个地址的样子，每行一个。"
    try:
        if given.get("hours"):
            read_hours(str(given["hours"]))
    except ValueError:
        yield "hours", "登录时段应写成 07:00-22:00 的样子。"


def refusal(policy: Policy, *, network: str, at: datetime, rights: frozenset[str]) -> str:
    """Why a holder of ``rights`` may not sign in from ``network`` at ``at``, in Chinese; empty when nothing is against it."""
    allowed = policy.guard_networks if policy.guard_networks and rights & GUARDS else policy.networks
    if allowed and not within(network, allowed):
        return f"按登录规定，不能从这个网络地址（{network or '未知'}）登录。请在单位的网络上登录，或联系安全管理员。"
    if policy.hours and not rights & set(policy.hours_free) and not within_hours(at, policy.hours):
        return f"按登录规定，现在不能登录；每天 {policy.hours} 可以登录。急事请联系安全管理员。"
    return ""


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
