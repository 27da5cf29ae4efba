"""All rows of a file against the organisation as it stands: one answer for the dry run and for the writing."""
from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection

from engine.kernel.clock import legal_date
from engine.kernel.gm import KeyRing
from engine.runtime.organisation_file.judge_certificates import judge_certificates
from engine.runtime.organisation_file.judge_people import judge_people, judge_posts
from engine.runtime.organisation_file.judge_units import judge_units
from engine.runtime.organisation_file.known import Row, read_known
from engine.runtime.organisation_file.lines import Judged, read_lines
from engine.runtime.organisation_file.shape import POST, choices

ORDER = {"unit": 0, "person": 1, "post": 2, "certificate": 3}


def judge(connection: Connection, data: bytes, *, keys: KeyRing, at: datetime) -> Judged:
    """What the file would do on the day of ``at``; nothing is written. Raises Invalid, TooLarge for a file that can't be read as one."""
    offered, on = choices(connection), legal_date(at)
    judged = read_lines(data, dictionaries=offered, on=on)
    known = read_known(connection)
    judge_units(judged, known, at=at)
    fresh = judge_people(judged, known, at=at, phone_of=lambda row: phone_of(row, keys))
    judge_posts(judged, known, fresh, posts=offered[POST], on=on)
    judge_certificates(judged, known, fresh, at=at)
    judged.changes.sort(key=lambda one: (ORDER[one.table], one.before is not None))
    return judged


def phone_of(row: Row, keys: KeyRing) -> str:
    """A person's telephone number in plain text, empty when there is none."""
    return keys.decrypt(bytes(row["phone"]), b"person.phone:" + row["id"].bytes).decode() if row["phone"] else ""


def digest(judged: Judged) -> str:
    """SHA-256 of what would be done, in words and by row: equal when the same file would do the same."""
    told = "\n".join(f"{one.sheet}\t{one.row}\t{one.table}\t{one.text}" for one in judged.changes)
    return hashlib.sha256(told.encode()).hexdigest()
