"""One case walked through returns, withdrawal and seals; its bundle verified, then altered in every way one can think of."""
from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select, text

from engine.access.guarding import anchor_now
from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.kernel.gm import KeyRing, sm3_hex
from engine.kernel.settings import ROOT
from engine.runtime.case_bundle.archive import Archive, ArchiveRefused
from engine.runtime.case_bundle.check import Report, check_bundle, lines
from engine.runtime.case_bundle.make import bundles_of, get_bundle, request_bundle
from engine.runtime.case_bundle.write import write_bundle
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.organisation import audit
from engine.storage.tables.runtime import submission
from tests.engine.runtime.test_walk_filing import to_agency
from tests.engine.runtime.walk import HANDLING, do, key, send_back, start_clue
from tests.town import Town

Change = Callable[[dict[str, Any]], None]


def walked(town: Town) -> Any:
    """A clue that was withdrawn once, returned once, and became a filed case with a sealed form; its case id."""
    started = start_clue(town)
    done = do(town, "officer", "verify", "file", data=HANDLING)
    withdraw_act(town.app, actor=town.actor("officer"), act_id=done.act_id, key=key(), at=town.app.clock.now())
    do(town, "officer", "verify", "file", data=HANDLING)
    to_agency(town)
    send_back(town, "chief", "agency_approval", "draft")
    to_agency(town)
    do(town, "chief", "agency_approval", opinion="同意立案。")
    town.app.jobs.run_due(town.app)
    return started.case_id


def export(town: Town, case_id: Any, *, revealed: bool = True) -> bytes:
    chief = town.actor("chief")
    id = request_bundle(town.app, actor=chief, case_id=case_id, reason="移送法院", revealed=revealed, at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    with town.app.db.begin() as connection:
        row = get_bundle(connection, actor=chief, case_id=case_id, bundle_id=id, at=town.app.clock.now(), network="127.0.0.1")
    return town.app.blobs.get(row.sm3)


def opened(data: bytes, folder: Path) -> Archive:
    path = folder / "case.zip"
    path.write_bytes(data)
    return Archive(path)


def checked(data: bytes, folder: Path, **more: Any) -> Report:
    archive = opened(data, folder)
    try:
        return check_bundle(archive, **more)
    finally:
        archive.close()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def forged(data: bytes, keys: KeyRing, folder: Path, change: Callable[[dict[str, Any]], None]) -> bytes:
    """What somebody with the platform's own signing key would make: members changed, the manifest right again."""
    parts = {name: content for name, content in members(data).items() if name not in ("manifest.json", "manifest.sig.json", "root.pem")}
    tables = {name: orjson.loads(content) for name, content in parts.items() if name.endswith(".json") and "/" not in name}
    change(tables)
    parts |= {name: orjson.dumps(table) for name, table in tables.items()}
    facts = orjson.loads(members(data)["manifest.json"])
    write_bundle(folder / "forged.zip", parts.items(), facts={k: v for k, v in facts.items() if k not in ("members", "format")}, keys=keys)
    return (folder / "forged.zip").read_bytes()


@pytest.mark.requirement("NFR-068")
def test_a_case_leaves_the_platform_is_verified_replayed_and_found_out_when_altered(town: Town, tmp_path: Path) -> None:
    case_id = walked(town)
    data = export(town, case_id)
    good = checked(data, tmp_path)
    assert good.good, list(lines(good))
    told = "\n".join(lines(good))
    assert "移送法院" in told and "可以采信" in told and "重做一遍" in told
    assert sum(done.acts for done in good.replayed) > 15 and all(done.completed for done in good.replayed)
    assert checked(data, tmp_path, root=town.app.keys.root.certificate).pinned
    assert "不是本平台签发的" in (checked(data, tmp_path, root=KeyRing(tmp_path / "other").root.certificate).problem or "")
    _every_member_is_protected(data, tmp_path)
    _forgeries_are_found(data, town.app.keys, tmp_path)
    _the_command_needs_nothing_but_the_file(data, tmp_path)


def _every_member_is_protected(data: bytes, folder: Path) -> None:
    parts = members(data)
    inside = [name for name in parts if not name.startswith("manifest")]
    for name in inside[::5]:
        altered = checked(zipped({**parts, name: parts[name][:-2] + b" " + parts[name][-1:]}), folder)
        assert f"{name} 内容被改动" in [one.problem for one in altered.findings], (name, altered.problem)
    everything = checked(zipped({name: content if name.startswith("manifest") else content + b" " for name, content in parts.items()}), folder)
    assert f"（共 {len(inside)} 处）" in (everything.problem or "")
    assert "case.json 缺失" in (checked(zipped({k: v for k, v in parts.items() if k != "case.json"}), folder).problem or "")
    assert "后来加进去" in (checked(zipped({**parts, "extra.json": b"{}"}), folder).problem or "")
    for name, old, new in (("manifest.json", "移送法院".encode(), "移送别人".encode()), ("manifest.sig.json", b'"signature": "30', b'"signature": "31')):
        assert old in parts[name]
        assert (checked(zipped({**parts, name: parts[name].replace(old, new)}), folder).problem or "").startswith("文件签名：")
    assert not checked(zipped({"manifest.json": b"{}"}), folder).good


def _forgeries_are_found(data: bytes, keys: KeyRing, folder: Path) -> None:
    def last(table: list[dict[str, Any]], **where: Any) -> dict[str, Any]:
        return next(row for row in reversed(table) if all(row[name] == value for name, value in where.items()))

    forgeries: dict[str, tuple[str, Change]] = {
        "an opinion": ("办理记录：", lambda t: last(t["acts.json"], kind="complete").update(opinion="不同意。")),
        "an actor": ("办理记录：", lambda t: t["acts.json"][2].update(actor_name="李四")),
        "an act taken away": ("办理记录：", lambda t: t["acts.json"].pop(3)),
        "an act added": ("办理记录：", lambda t: t["acts.json"].append({**t["acts.json"][-1], "id": "01900000-0000-7000-8000-000000000000"})),
        "an answer": ("填报内容：", lambda t: last(t["submissions.json"], form="case_filing.clue_handling" if any(r["form"] == "case_filing.clue_handling" for r in t["submissions.json"]) else t["submissions.json"][0]["form"])["data"].update(findings="无")),
        "a secret answer": ("填报内容：", lambda t: next(iter(next(iter(t["openings.json"].values())).values())).update(text="13900000000")),
        "an audit record": ("审计记录：", lambda t: t["audit.json"]["records"][1].__setitem__(4, "李四")),
        "the order of the trail": ("审计记录：", lambda t: t["audit.json"]["stretches"][0]["digests"].reverse()),
        "the trail cut": ("审计记录：", lambda t: t["audit.json"]["stretches"][0]["digests"].pop()),
        "an anchor": ("审计记录：", lambda t: t["audit.json"]["anchors"][0].update(at="2020-01-01T00:00:00.000000+00:00")),
        "a task still open": ("重走流程：", lambda t: t["tasks.json"][0].update(status="open")),
        "the state": ("重走流程：", lambda t: t["instances.json"][0].update(status="running")),
        "another state": ("重走流程：", lambda t: t["instances.json"][0].update(state_digest="0" * 64)),
        "a definition": ("流程图：", lambda t: t["definitions.json"][0].update(hash="0" * 64)),
        "another seal": ("文书：", lambda t: last(t["documents.json"], state="issued").update(sealed_sm3="0" * 64)),
        "junk": ("办理记录：", lambda t: t.update({"acts.json": {"a": 1}})),
    }
    for what, (where, change) in forgeries.items():
        report = checked(forged(data, keys, folder, change), folder)
        assert report.problem and report.problem.startswith(where), (what, report.problem)


def _the_command_needs_nothing_but_the_file(data: bytes, folder: Path) -> None:
    (folder / "case.zip").write_bytes(data)
    environment = {"PATH": os.environ["PATH"], "GUICHENG_DATA": str(folder / "nowhere"), "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    run = subprocess.run([sys.executable, "-m", "engine", "verify", str(folder / "case.zip"), "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert orjson.loads(run.stdout)["good"] is True
    parts = members(data)
    (folder / "case.zip").write_bytes(zipped({**parts, "case.json": b"{}"}))
    run = subprocess.run([sys.executable, "-m", "engine", "verify", str(folder / "case.zip")], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "case.json 内容被改动" in run.stdout


def test_rows_changed_in_the_database_before_the_export_are_found_in_the_bundle(town: Town, tmp_path: Path) -> None:
    started = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    anchor_now(town.app, at=town.app.clock.now())
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE act SET opinion = '改过' WHERE kind = 'complete'"))
    assert "办理记录：第 2 条" in (checked(export(town, started.case_id), tmp_path).problem or "")
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE act SET opinion = '' WHERE kind = 'complete'"))
        id = connection.scalar(select(submission.c.id).order_by(submission.c.at.desc(), submission.c.id.desc()).limit(1))
        connection.execute(text("UPDATE submission SET data = jsonb_set(data, '{findings}', '\"改过\"') WHERE id = :id"), {"id": id})
    assert str(id) in (checked(export(town, started.case_id), tmp_path).problem or "")


def test_only_who_may_exports_with_a_reason_and_every_export_and_download_is_on_record(town: Town) -> None:
    started = start_clue(town)
    at = town.app.clock.now()
    for login, error in (("officer", Forbidden), ("other_head", NotFound)):
        with pytest.raises(error):
            request_bundle(town.app, actor=town.actor(login), case_id=started.case_id, reason="看看", revealed=False, at=at)
    with pytest.raises(Invalid):
        request_bundle(town.app, actor=town.actor("chief"), case_id=started.case_id, reason=" ", revealed=False, at=at)
    data = export(town, started.case_id, revealed=False)
    assert "openings.json" not in members(data) and b"13800000000" not in b"".join(members(data).values())
    with town.app.db.connect() as connection:
        actions = connection.scalars(select(audit.c.action).where(audit.c.action.like("trace.%")).order_by(audit.c.seq)).all()
        assert [row.reason for row in bundles_of(connection, actor=town.actor("chief"), case_id=started.case_id)] == ["移送法院"]
    assert actions == ["trace.export", "trace.download"]


@pytest.mark.parametrize(("make", "words"), [
    (lambda: b"not a zip", "不是案件导出文件"),
    (lambda: zipped({"../../etc/passwd": b"x"}), "成员名不合规"),
    (lambda: zipped({"/etc/passwd": b"x"}), "成员名不合规"),
    (lambda: zipped({"a\\b": b"x"}), "成员名不合规"),
    (lambda: zipped({"bomb.json": b"0" * (64 << 20)}), "压缩"),
    (lambda: zipped({f"m{n}": b"" for n in range(20_001)}), "超过 20000 个"),
])
def test_tricks_of_zip_files_are_refused(make: Callable[[], bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match=words):
        opened(make(), tmp_path)


def test_a_member_that_lies_about_itself_is_refused_when_it_is_read(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.json": b"[1, 2, 3]", "b.json": b"{}"}))
    place = data.find(b"PK\x01\x02") + 24
    data[place : place + 4] = (5).to_bytes(4, "little")
    with pytest.raises(ArchiveRefused):
        opened(bytes(data), tmp_path).read("a.json")
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("a.json", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.json", b"2")
    with pytest.raises(ArchiveRefused, match="出现两次"):
        opened(twice.getvalue(), tmp_path)
    assert sm3_hex(b"") == "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
