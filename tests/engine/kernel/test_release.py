from __future__ import annotations

from pathlib import Path

import pytest

from engine.kernel.gm import sm2_generate
from engine.kernel.release import MANIFEST, check_release, sign_release
from tests.conftest import NOW


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("app.py", "engine/a.py", "engine/web/static/dist/app.js", "processes/x/x.bpmn", "engine/__pycache__/a.pyc", "docs/a.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.requirement("NFR-065")
def test_a_changed_added_or_missing_program_file_is_named(root: Path) -> None:
    pair = sm2_generate()
    assert not check_release(root, trusted=pair.public).signed
    assert sign_release(root, private=pair.private, version="1.0", at=NOW) == 4
    assert check_release(root, trusted=pair.public).good
    (root / "docs" / "a.md").write_text("not a program")
    (root / "engine" / "__pycache__" / "b.pyc").write_text("x")
    assert check_release(root, trusted=pair.public).good
    (root / "engine" / "a.py").write_text("import os")
    (root / "engine" / "b.py").write_text("")
    (root / "engine" / "web" / "static" / "dist" / "app.js").unlink()
    assert set(check_release(root, trusted=pair.public).problems) == {
        "engine/a.py 与发布的不同", "engine/b.py 是发布以后加进来的", "engine/web/static/dist/app.js 不见了",
    }


@pytest.mark.requirement("NFR-065")
def test_a_manifest_signed_by_somebody_else_or_altered_is_not_believed(root: Path) -> None:
    pair, forger = sm2_generate(), sm2_generate()
    sign_release(root, private=forger.private, version="1.0", at=NOW)
    assert "不是可信的发布密钥签的" in check_release(root, trusted=pair.public).problems[0]
    assert "没有指定可信的发布公钥" in check_release(root, trusted=None).problems[0]
    manifest = (root / MANIFEST).read_text()
    (root / MANIFEST).write_text(manifest.replace('"1.0"', '"2.0"'))
    assert "签名不对" in check_release(root, trusted=forger.public).problems[0]
    (root / MANIFEST).write_text("{")
    assert "读不出来" in check_release(root, trusted=forger.public).problems[0]
