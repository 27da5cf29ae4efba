"""Secret answers (证件号, 电话) are sealed inside a submission with SM4-GCM and opened only where they are needed."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

from engine.access.parties import mask_identifier, mask_phone
from engine.kernel.gm import KeyRing

MARK = "$sealed"
AAD = b"submission"


def seal_secrets(keys: KeyRing, data: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy of ``data`` whose texts at ``paths`` (``party.identifier``, ``rows.0.code``) are sealed."""
    sealed = deepcopy(dict(data))
    for path in paths:
        _change(sealed, path.split("."), lambda text: {MARK: keys.encrypt(str(text).encode(), AAD).hex()})
    return sealed


def drop_secrets(data: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy of ``data`` without the texts at ``paths``: null stands in their place."""
    bare = deepcopy(dict(data))
    for path in paths:
        _change(bare, path.split("."), lambda _: None)
    return bare


def open_secrets(keys: KeyRing, data: Any, *, mask: Callable[[str], str] | None = None) -> Any:
    """A copy of ``data`` with every sealed text opened, or masked by ``mask``."""
    if isinstance(data, dict):
        if set(data) == {MARK}:
            text = keys.decrypt(bytes.fromhex(data[MARK]), AAD).decode()
            return mask(text) if mask else text
        return {name: open_secrets(keys, value, mask=mask) for name, value in data.items()}
    if isinstance(data, list):
        return [open_secrets(keys, value, mask=mask) for value in data]
    return data


def mask_secret(text: str) -> str:
    """A telephone or document number with its middle hidden."""
    return mask_phone(text) if text.isdigit() and len(text) == 11 else mask_identifier(text)


def _change(inside: Any, path: list[str], how: Callable[[Any], Any]) -> None:
    *way, last = path
    for step in way:
        inside = inside[int(step)] if isinstance(inside, list) else inside.get(step)
        if inside is None:
            return
    key: Any = int(last) if isinstance(inside, list) else last
    if isinstance(inside, list) or key in inside:
        inside[key] = how(inside[key])
