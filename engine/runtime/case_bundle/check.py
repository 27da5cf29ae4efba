"""Verifies a bundle without a database: every member, the signature, the audit proof, every act, answer and document, and a replay.

The checks go from the file to its meaning; each names the first thing that is not as it was when the bundle was made.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import pem

from engine.access.anchors import check_line
from engine.access.audit_check import body_digest
from engine.documents.verify_pdf import verify_pdf
from engine.kernel.errors import GuichengError
from engine.kernel.gm import sm2_verify, sm3, sm3_hex
from engine.kernel.gm.certificates import CertificateInvalid, check_issued
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.journal import Unrepeatable
from engine.runtime.case_bundle.archive import Archive, ArchiveRefused
from engine.runtime.case_bundle.replay import Content, Replayed, ReplayFailed, group, replay
from engine.runtime.case_bundle.write import FORMAT, MANIFEST, ROOT, SIGNATURE
from engine.runtime.commitments import COMMIT, act_digest, commitment, public_digest


@dataclass(kw_only=True)
class Finding:
    """One check. ``problem`` is Chinese and names what was altered; None when it holds."""

    title: str
    detail: str = ""
    problem: str | None = None


@dataclass(kw_only=True)
class Report:
    """Of a whole file. ``root`` is the SM3 of the authority's certificate that was trusted, ``pinned`` whether the reader gave it."""

    case: dict[str, Any] = field(default_factory=dict)
    root: str = ""
    pinned: bool = False
    findings: list[Finding] = field(default_factory=list)
    replayed: list[Replayed] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return bool(self.findings) and all(one.problem is None for one in self.findings)

    @property
    def problem(self) -> str | None:
        """The first thing that does not hold."""
        return next((f"{one.title}：{one.problem}" for one in self.findings if one.problem), None)


class _Broken(ValueError):
    pass


def check_bundle(archive: Archive, *, root: bytes | None = None) -> Report:
    """Verify everything; later checks go on after an earlier one failed. ``root`` is the authority's certificate (DER) that the reader trusts."""
    checker = _Checker(archive, root)
    report = checker.report
    steps: tuple[tuple[str, Callable[[], str]], ...] = (
        ("文件签名", checker.signature), ("成员", checker.members), ("审计记录", checker.trail), ("办理记录", checker.acts), ("填报内容", checker.submissions),
        ("文书", checker.documents), ("附件", checker.attachments), ("流程图", checker.content), ("重走流程", checker.replay),
    )
    for title, step in steps:
        try:
            report.findings.append(Finding(title=title, detail=step()))
        except (_Broken, ArchiveRefused, ReplayFailed, Unrepeatable, CertificateInvalid) as error:
            report.findings.append(Finding(title=title, problem=str(error)))
        except (FlowError, GuichengError) as error:
            report.findings.append(Finding(title=title, problem=f"重走时出错：{error}"))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError) as error:
            report.findings.append(Finding(title=title, problem=f"内容的形状不对（{type(error).__name__}: {error}）"))
    return report


class _Checker:
    def __init__(self, archive: Archive, root: bytes | None) -> None:
        self.archive = archive
        self.report = Report(pinned=root is not None)
        self._root = root
        self._listed: Mapping[str, Mapping[str, Any]] = {}
        self._bad: set[str] = set()
        self._attested: dict[str, dict[str, Any]] = {}

    @property
    def root(self) -> bytes:
        if self._root is None:
            self._root = _der(self.archive.read(ROOT, most=1 << 20))
        self.report.root = sm3_hex(self._root)
        return self._root

    def signature(self) -> str:
        manifest = self.archive.read(MANIFEST, most=64 << 20)
        facts, signed = self.archive.json(MANIFEST), self.archive.json(SIGNATURE)
        if facts.get("format") != FORMAT:
            raise _Broken("不是本平台的案件导出文件，或版本不认识")
        self._listed, self.report.case = facts["members"], {name: value for name, value in facts.items() if name not in ("members", "format")}
        signer = check_issued(bytes.fromhex(signed["certificate"]), root=self.root, at=datetime.fromisoformat(facts["made_at"]))
        if not sm2_verify(signer.public, manifest, bytes.fromhex(signed["signature"])):
            raise _Broken(f"{MANIFEST} 的 SM2 签名不对：目录被改动，或不是签名人签的")
        return f"{signer.name} 签于 {facts['made_at'][:19]}"

    def members(self) -> str:
        present = set(self.archive.members) - {MANIFEST, SIGNATURE}
        problems = [f"{name} 内容被改动" for name in sorted(present & set(self._listed)) if self._altered(name)]
        self._bad = {problem.split(" ")[0] for problem in problems}
        problems += [f"{name} 缺失" for name in sorted(set(self._listed) - present)] + [f"{name} 是后来加进去的" for name in sorted(present - set(self._listed))]
        if problems:
            raise _Broken(problems[0] + (f"（共 {len(problems)} 处）" if len(problems) > 1 else ""))
        return f"{len(present)} 个成员逐个核对 SM3"

    def _altered(self, name: str) -> bool:
        try:
            return self.archive.sm3(name) != self._listed[name]["sm3"]
        except ArchiveRefused:
            return True

    def trail(self) -> str:
        trail = self.archive.json("audit.json")
        heads = self._anchors(trail["anchors"])
        by_place = {(body[0], body[1]): body for body in trail["records"]}
        for stretch in trail["stretches"]:
            self._stretch(stretch, heads, by_place)
        for body in by_place.values():
            if body[5].startswith("act."):
                self._attested[body[6]] = body[8]
        return f"{len(by_place)} 条记录，接到 {len(heads)} 个签名的锚点"

    def _anchors(self, lines: list[dict[str, Any]]) -> dict[int, dict[str, tuple[int, str]]]:
        heads = {}
        for line in lines:
            why = check_line(line, before=bytes.fromhex(line["before"]), seq=line["seq"], root=self.root)
            if why:
                raise _Broken(f"锚点第 {line['seq']} 个：{why}")
            heads[line["seq"]] = {chain: (seq, hash) for chain, seq, hash in line["heads"]}
        return heads

    @staticmethod
    def _stretch(stretch: Mapping[str, Any], heads: Mapping[int, Mapping[str, tuple[int, str]]], records: Mapping[tuple[str, int], list[Any]]) -> None:
        chain, seq, here = stretch["chain"], stretch["first"], bytes.fromhex(stretch["before"])
        for digest in stretch["digests"]:
            body = records.get((chain, seq))
            if body is not None and body_digest(body).hex() != digest:
                raise _Broken(f"链 {chain} 第 {seq} 条（{body[2][:19]} {body[4]} {body[5]}）内容被改动")
            here, seq = sm3(here + bytes.fromhex(digest)), seq + 1
        if heads.get(stretch["anchor"], {}).get(chain) != (seq - 1, here.hex()):
            raise _Broken(f"链 {chain} 第 {stretch['first']}—{seq - 1} 条接不到锚点：其中有记录被改动、删去或换序")

    def acts(self) -> str:
        rows = self.archive.json("acts.json")
        unproved = 0
        for number, row in enumerate(rows, start=1):
            said = self._attested.get(row["id"])
            where = f"第 {number} 条（{row['at'][:16]} {row['actor_name']} {row['title']}）"
            if said is None:
                raise _Broken(f"{where}没有审计记录：后来加进去的，或审计记录被删去")
            if not said.get("act"):
                unproved += 1
            elif said["act"] != act_digest(row):
                raise _Broken(f"{where}内容被改动")
        missing = set(self._attested) - {row["id"] for row in rows}
        if missing:
            raise _Broken(f"审计里有、办理记录里没有的 {len(missing)} 条：办理记录被删去（{sorted(missing)[0]}）")
        return f"{len(rows)} 条与审计记录逐条相符" + (f"，其中 {unproved} 条写于还没有摘要的版本" if unproved else "")

    def submissions(self) -> str:
        rows = self.archive.json("submissions.json")
        held = {id: digest for said in self._attested.values() for id, digest in (said.get("forms") or {}).items()}
        for row in rows:
            if row["id"] in held and held[row["id"]] != public_digest(row):
                raise _Broken(f"{row['at'][:16]} {row['by_name']} 填的 {row['form']} 内容被改动（{row['id']}）")
        missing = set(held) - {row["id"] for row in rows}
        if missing:
            raise _Broken(f"有 {len(missing)} 份填报被删去（{sorted(missing)[0]}）")
        return f"{len(rows)} 份" + self._openings(rows)

    def _openings(self, rows: list[dict[str, Any]]) -> str:
        if "openings.json" not in self.archive.members:
            return "，证件号码等以承诺值代替"
        by_id, shown = {row["id"]: row["data"] for row in rows}, 0
        for id, places in self.archive.json("openings.json").items():
            for path, one in places.items():
                if commitment(bytes.fromhex(one["opening"]), one["text"]) != _at(by_id[id], path).get(COMMIT):
                    raise _Broken(f"填报 {id} 的 {path} 与当时填的不同")
                shown += 1
        return f"，其中 {shown} 处证件号码等与当时填的相符"

    def documents(self) -> str:
        rows = self.archive.json("documents.json")
        signed = 0
        for row in rows:
            if not row["file"]:
                continue
            pdf = self.archive.read(row["file"])
            if sm3_hex(pdf) != (row["sealed_sm3"] or row["pdf_sm3"]):
                raise _Broken(f"《{row['title']}》{row['number'] or ''}的文件被换掉（{row['file']}）")
            if row["sealed_sm3"] and row["signatures"]:
                verdict = verify_pdf(pdf, root=self.root)
                if not verdict.good:
                    raise _Broken(f"《{row['title']}》{row['number'] or ''}：{verdict.problem}（{row['file']}）")
                signed += len(verdict.signatures)
        return f"{len(rows)} 份，{signed} 个签章有效"

    def attachments(self) -> str:
        rows = self.archive.json("attachments.json")
        for row in rows:
            if row["file"] and self.archive.sm3(row["file"]) != row["sm3"]:
                raise _Broken(f"附件 {row['file_name']} 被换掉（{row['file']}）")
        absent = sum(row["file"] is None for row in rows)
        return f"{len(rows)} 个" + (f"，{absent} 个导出时已不在存储中" if absent else "")

    def content(self) -> str:
        rows = self.archive.json("definitions.json")
        for row in rows:
            found = sm3_hex(b"\0".join((row["kind"].encode(), row["name"].encode(), self.archive.read(row["file"]))))
            if found != row["hash"]:
                raise _Broken(f"{row['name']} 第 {row['version']} 版被改动（{row['file']}）")
        members = {row["id"]: row for row in rows}
        for bundle in self.archive.json("bundles.json"):
            text = "\n".join([bundle["root"], *(f"{name}={id}" for name, id in sorted(bundle["members"].items()))])
            if sm3_hex(text.encode()) != bundle["hash"]:
                raise _Broken(f"流程版本 {bundle['root']} 的清单被改动")
            absent = [name for name, id in bundle["members"].items() if name.startswith(("process:", "decision:")) and id not in members]
            if absent:
                raise _Broken(f"缺少 {absent[0]}")
        return f"{len(rows)} 个定义"

    def replay(self) -> str:
        files = {row["id"]: row["file"] for row in self.archive.json("definitions.json")}
        bundles = {row["id"]: row["members"] for row in self.archive.json("bundles.json")}
        content = Content(bundles, lambda wanted: self.archive.read(files[wanted]))
        states = {name.removeprefix("states/"): self.archive.read(name) for name in self.archive.members if name.startswith("states/")}
        instances = {row["id"]: row for row in self.archive.json("instances.json")}
        acts = dict(group(self.archive.json("acts.json")))
        kept = self.archive.json("tasks.json")
        for id, row in instances.items():
            if not acts.get(id):
                raise _Broken(f"《{row['title']}》没有办理记录")
            done = replay(row, acts[id], content, states)
            self._compare(row, done, kept)
            self.report.replayed.append(done)
        total = sum(done.acts for done in self.report.replayed)
        return f"{len(instances)} 个流程，{total} 次办理重做一遍，路径、状态、待办都相同" + self._resumed()

    @staticmethod
    def _compare(row: Mapping[str, Any], done: Replayed, kept: list[dict[str, Any]]) -> None:
        still = sorted(one["engine_id"] for one in kept if one["instance_id"] == row["id"] and one["status"] == "open")
        if still != done.open:
            raise _Broken(f"《{row['title']}》的待办与重走的结果不同：文件里 {len(still)} 项，重走得 {len(done.open)} 项")
        if done.completed != (row["status"] in ("completed", "cancelled")):
            raise _Broken(f"《{row['title']}》的状态与重走的结果不同")

    def _resumed(self) -> str:
        resumed = sum(done.resumed for done in self.report.replayed)
        return f"；{resumed} 处换过流程版本，从随附的状态继续" if resumed else ""


def _at(data: Any, path: str) -> Any:
    for name in path.split("."):
        data = data[int(name)] if isinstance(data, list) else data[name]
    return data


def _der(text: bytes) -> bytes:
    return bytes(pem.unarmor(text)[2]) if pem.detect(text) else text


def lines(report: Report) -> Iterator[str]:
    """The report for people, in Chinese."""
    case = report.case
    if case:
        yield f"案件：{case.get('number') or '未编号'}　{case.get('title', '')}"
        yield f"导出：{case.get('by', '')}，{str(case.get('made_at', ''))[:19]}，理由：{case.get('reason', '')}"
    for one in report.findings:
        yield f"{'✗' if one.problem else '✓'} {one.title}：{one.problem or one.detail}"
    for done in report.replayed:
        state = "已办完" if done.completed else f"停在 {len(done.open)} 项待办"
        yield f"  《{done.title}》{done.acts} 次办理，{state}；路径：{' → '.join(done.nodes[-12:])}"
    if report.root:
        yield f"根证书 SM3：{report.root}" + ("（与您给的一致）" if report.pinned else "（随文件附来，请与平台公布的指纹核对，或用 --root 指定）")
    yield "结论：与导出时一致，可以采信。" if report.good else f"结论：不能采信。{report.problem or ''}"
