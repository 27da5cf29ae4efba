"""Records which requirement-marked tests passed, for `python -m engine trace`."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "requirements" / "last_run.json"


class Recorder:
    """Collects outcomes in the process that prints the summary; workers hand them over with their reports."""

    def __init__(self) -> None:
        self.outcomes: dict[str, bool] = {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item.get_closest_marker("requirement"):
            item.user_properties.append(("requirement_test", item.nodeid.split("[", 1)[0]))

    def pytest_runtest_logreport(self, report: Any) -> None:
        for name, test in report.user_properties:
            if name == "requirement_test" and (report.when == "call" or report.failed):
                self.outcomes[test] = self.outcomes.get(test, True) and report.passed

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not hasattr(session.config, "workerinput") and self.outcomes:
            write_record(self.outcomes)


def write_record(outcomes: dict[str, bool]) -> None:
    """Merge the outcomes into the record; tests that no longer exist leave it. Unchanged content is not written."""
    before = orjson.loads(RECORD.read_bytes()) if RECORD.exists() else {}
    kept = {test: passed for test, passed in before.items() if _exists(test)}
    after = orjson.dumps(dict(sorted((kept | outcomes).items())), option=orjson.OPT_INDENT_2) + b"\n"
    if not RECORD.exists() or RECORD.read_bytes() != after:
        RECORD.write_bytes(after)


def _exists(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.exists() and f"def {name.split('::')[-1]}(" in path.read_text(encoding="utf-8")
