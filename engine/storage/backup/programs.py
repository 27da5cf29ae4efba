"""pg_dump and pg_restore of the right version, against any address, without a password on the command line."""
from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from sqlalchemy.engine import make_url

from engine.kernel.errors import Unavailable
from engine.storage.postgres_programs import find_programs


def run_program(name: str, url: str, arguments: Sequence[str], *, server: int, out: IO[bytes] | int = subprocess.DEVNULL, stdin: IO[bytes] | None = None) -> None:
    """Run one program against the database at ``url`` whose server has major version ``server``; raises Unavailable with its last words."""
    folder = _folder(server)
    done = subprocess.run(
        [str(folder / name), *arguments], env=_environment(url), stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, cwd="/", check=False,
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise Unavailable(f"{name} 没有完成：{words[-1] if words else '没有输出'}", code="program_failed")


def _folder(server: int) -> Path:
    """Programs of the server's own version where they are installed, else the newest, which read all older servers."""
    own = Path(f"/usr/lib/postgresql/{server}/bin")
    found = find_programs()
    return own if found.major != server and (own / "pg_restore").exists() else found.bin


def _environment(url: str) -> dict[str, str]:
    parts = make_url(url)
    host = parts.host or parts.query.get("host", "")
    port = str(parts.port or parts.query.get("port", "") or "5432")
    return {
        "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGHOST": str(host), "PGPORT": port, "PGUSER": parts.username or "", "PGPASSWORD": str(parts.password or ""),
        "PGDATABASE": parts.database or "", "PGCONNECT_TIMEOUT": "10",
    }
