"""Does a line stay on this machine?"""
from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Is it this machine, by name or address? A name other than ``localhost`` may lead anywhere."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
