"""Anchors: every hour the heads of all chains, signed with the platform's audit key and linked to the anchor before.

Whoever rewrites a chain to its very end, or cuts it and corrects its head, comes into conflict with a signature. Anchors
also go to a file outside the database (``<data>/anchors/anchors.jsonl``), which may be carried elsewhere; it finds out
when anchors themselves are cut away.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, insert, select

from engine.access.audit_check import GENESIS, Break, chains, find_break
from engine.kernel.gm import KeyRing, sm2_verify, sm3
from engine.kernel.gm.certificates import CertificateInvalid, check_issued
from engine.storage.tables.organisation import audit_head
from engine.storage.tables.proof import audit_anchor

_LOCK = 0x67_63_61_6E  # "gcan"


@dataclass(frozen=True, kw_only=True)
class ChainReport:
    """One chain as it was found: how many records, and where it breaks (``broken`` None: nowhere)."""

    chain: str
    records: int
    broken: Break | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole trail: anchors first (``anchor_break`` by their number), then every chain."""

    anchors: int
    anchored_at: datetime | None
    anchor_break: Break | None
    chains: tuple[ChainReport, ...]

    @property
    def good(self) -> bool:
        return self.anchor_break is None and all(one.broken is None for one in self.chains)

    @property
    def records(self) -> int:
        return sum(one.records for one in self.chains)


def anchor_body(*, seq: int, at: datetime, heads: Any, before: bytes) -> bytes:
    """What an anchor's hash is taken over and its signature covers."""
    return orjson.dumps([seq, at.astimezone(UTC).isoformat(timespec="microseconds"), heads, before.hex()])


def set_anchor(connection: Connection, keys: KeyRing, *, at: datetime) -> Mapping[str, Any] | None:
    """Sign the heads as they stand; None when nothing was written since the last anchor. One process at a time."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = connection.execute(select(audit_anchor).order_by(audit_anchor.c.seq.desc()).limit(1)).one_or_none()
    rows = connection.execute(select(audit_head.c.chain, audit_head.c.seq, audit_head.c.hash).where(audit_head.c.seq > 0).order_by(audit_head.c.chain))
    heads = [[row.chain, row.seq, row.hash.hex()] for row in rows]
    if not heads or (last is not None and last.heads == heads):
        return None
    seq, before = (last.seq + 1, last.hash) if last is not None else (1, GENESIS)
    body, signer = anchor_body(seq=seq, at=at, heads=heads, before=before), keys.signer("audit")
    values = {
        "seq": seq, "at": at, "heads": heads, "before": before, "hash": sm3(body), "certificate": signer.certificate, "signature": signer.sign(body),
    }
    connection.execute(insert(audit_anchor).values(values))
    return values


def as_line(row: Row[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """An anchor as one line of a file: hexadecimal where the database has bytes."""
    values = row if isinstance(row, Mapping) else row._mapping
    at = values["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return {"seq": values["seq"], "at": at, "heads": values["heads"], **{n: values[n].hex() for n in ("before", "hash", "certificate", "signature")}}


def keep_outside(folder: Path, line: Mapping[str, Any]) -> Path:
    """Append an anchor to the file outside the database; the file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "anchors.jsonl"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as out:
        out.write(orjson.dumps(line) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    return file


def kept_outside(folder: Path) -> list[dict[str, Any]]:
    """The anchors in the file outside; empty when there is none. A line that was cut short by a crash is left out."""
    file = folder / "anchors.jsonl"
    if not file.exists():
        return []
    found = []
    for line in file.read_bytes().splitlines():
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            continue
    return found


def check_line(line: Mapping[str, Any], *, before: bytes, seq: int, root: bytes) -> str | None:
    """Why one exported anchor can't be believed, in Chinese; None when it can. ``root`` is the authority's certificate (DER)."""
    try:
        at = datetime.fromisoformat(line["at"])
        body = anchor_body(seq=line["seq"], at=at, heads=line["heads"], before=bytes.fromhex(line["before"]))
        if line["seq"] != seq:
            return "这个锚点不见了"
        if bytes.fromhex(line["before"]) != before:
            return "与前一个锚点接不上"
        if sm3(body).hex() != line["hash"]:
            return "锚点内容被改动"
        facts = check_issued(bytes.fromhex(line["certificate"]), root=root, at=at)
        return None if sm2_verify(facts.public, body, bytes.fromhex(line["signature"])) else "锚点的签名不对"
    except CertificateInvalid as error:
        return f"签锚点的证书不对：{error}"
    except (KeyError, TypeError, ValueError):
        return "锚点读不出来"


def check_anchors(lines: Iterable[Mapping[str, Any]], *, root: bytes, outside: Iterable[Mapping[str, Any]] = ()) -> Break | None:
    """The first anchor that is altered, missing, out of order or differs from the copy outside; None when all hold."""
    before, expected, known = GENESIS, 1, {line.get("seq"): line.get("hash") for line in outside}
    for line in lines:
        why = check_line(line, before=before, seq=expected, root=root)
        if why is None and known.get(expected, line["hash"]) != line["hash"]:
            why = "与数据库外保存的锚点不同：锚点被整段重写"
        if why is not None:
            return Break(seq=expected, why=why)
        before, expected = bytes.fromhex(line["hash"]), expected + 1
    later = [seq for seq in known if isinstance(seq, int) and seq >= expected]
    return Break(seq=expected, why=f"末尾的锚点被删去：数据库外保存到第 {max(later)} 个") if later else None


def check_trail(
    connection: Connection, keys: KeyRing, *, folder: Path | None = None, only: str | None = None, tell: Callable[[str, int], None] | None = None
) -> Report:
    """Verify anchors and chains (``only`` one of them) from the first record to the last. ``tell`` hears chain and record as it goes."""
    rows = list(connection.execute(select(audit_anchor).order_by(audit_anchor.c.seq)))
    outside = kept_outside(folder) if folder else []
    broken = check_anchors((as_line(row) for row in rows), root=keys.root.certificate, outside=outside)
    trusted = rows if broken is None else rows[: broken.seq - 1]
    marks: dict[str, dict[int, bytes]] = {}
    for heads in [row.heads for row in trusted] + [line["heads"] for line in outside[len(trusted):]]:
        for chain, seq, hash in heads:
            marks.setdefault(chain, {})[seq] = bytes.fromhex(hash)
    names = [only] if only else sorted({*chains(connection), *marks})
    return Report(
        anchors=len(rows), anchored_at=rows[-1].at if rows else None, anchor_break=broken,
        chains=tuple(_check_chain(connection, name, marks.get(name, {}), tell) for name in names),
    )


def _check_chain(connection: Connection, chain: str, marks: Mapping[int, bytes], tell: Callable[[str, int], None] | None) -> ChainReport:
    counted = [0]

    def heard(seq: int) -> None:
        counted[0] = seq
        if tell is not None:
            tell(chain, seq)

    broken = find_break(connection, chain, marks=marks, tell=heard)
    return ChainReport(chain=chain, records=counted[0], broken=broken)
