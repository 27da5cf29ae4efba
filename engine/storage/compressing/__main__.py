"""The child: ``python -m engine.storage.compressing KIND SOURCE TARGET``; percents and, when it leaves the file alone, the reason go to its output."""
from __future__ import annotations

import os
import resource
import sys
from importlib import import_module
from pathlib import Path

from engine.storage.compressing.leave import LeaveIt
from engine.storage.compressing.run import LEFT

MOST_MEMORY = 3 * 2**30
"""Address space of the child, in bytes; what it really takes is far less (decoders reserve)."""


def _bound() -> None:
    """Little memory, no core files, behind everybody else."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)


def _tell(percent: int) -> None:
    sys.stdout.write(f"{percent}\n")
    sys.stdout.flush()


def main(kind: str, source: str, target: str) -> int:
    """0 when ``target`` is written, LEFT when the file stays as it is."""
    _bound()
    made = import_module(f"engine.storage.compressing.{kind}")
    try:
        made.compress(Path(source), Path(target), _tell)
    except LeaveIt as reason:
        sys.stdout.write(f"{reason}\n")
        return LEFT
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
