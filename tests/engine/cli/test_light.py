"""A web worker stays small: what only workers need isn't loaded with the pages."""
from __future__ import annotations

import subprocess
import sys

from engine.kernel.settings import ROOT

PROGRAM = """
import sys
import engine.assembly
from engine.web.flask_app import blueprints
blueprints()
print(*sorted({"weasyprint", "pyhanko", "apscheduler", "alembic", "pypinyin"} & set(sys.modules)))
"""


def test_pages_load_without_what_only_workers_and_the_clock_need() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
