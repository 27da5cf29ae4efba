"""数据目录: every collection of data that the platform holds, with its fields, how sensitive they are, whose it is, how much there is."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from engine.kernel.names import pack_of
from engine.packs.catalogue import Catalogue
from engine.packs.library import Library
from engine.registers.catalogue import registers_of
from engine.registers.declaration import Field, Register

SCOPES = {"case": "随案件", "unit": "本单位", "area": "本单位，市级看全市", "agency": "本局", "bureau": "本条线", "all": "全部工作人员"}
KINDS = {
    "text": "文字", "number": "数字", "money": "金额", "date": "日期", "datetime": "时间", "boolean": "是否", "choice": "单选", "choices": "多选", "person": "人员", "unit": "单位", "party": "当事人",
    "record": "记录", "tags": "标签", "files": "附件", "serial": "编号", "point": "位置", "outline": "范围", "json": "结构",
}
OWN = (
    ("case_file", "案件", "随案件", "查看、办理、导出留痕；所在单位和承办人可见"),
    ("party", "当事人", "随案件", "证件号码、电话加密，按摘要检索；揭示要理由并留痕"),
    ("submission", "填报", "随案件", "加密的栏单独加密；每次填报的摘要进审计链"),
    ("document", "文书", "随案件", "签章和公开核验；下载、打印留痕"),
    ("attachment", "附件", "随案件", "按内容摘要存放；查看、下载留痕"),
    ("person", "人员", "系统管理员", "逐行有完整性标记；变动留痕"),
    ("unit", "单位", "系统管理员", "变动留痕"),
    ("certificate", "证件", "系统管理员", "逐行有完整性标记；变动留痕"),
    ("account", "账号", "系统管理员、安全管理员", "口令只存 argon2id；逐行有完整性标记；登录留痕"),
    ("party_account", "当事人账号", "本人", "证件号码、电话加密；逐行有完整性标记"),
    ("audit", "审计记录", "安全审计员", "只增不改，成链、锚定、外送"),
)
"""Table, what it is called, who may see it, how it is watched."""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One entry. ``rows`` is what the database reckons. ``watched`` says how changes and exports are noticed; empty where they aren't."""

    name: str
    title: str
    pack: str
    owner: str
    seen_by: str
    watched: str
    rows: int
    fields: tuple[Field, ...] = ()

    @property
    def sensitive(self) -> Sequence[str]:
        return [one.title for one in self.fields if one.encrypt or one.mask]


def collections(connection: Connection, *, library: Library, catalogue: Catalogue) -> list[Collection]:
    """The registers by pack, then what the platform itself keeps."""
    rows = _rows(connection)
    found = []
    for name, (register, table) in sorted(registers_of(library).items()):
        manifest = catalogue.packs.get(pack_of(name))
        found.append(Collection(
            name=name, title=register.title, pack=manifest.title if manifest else pack_of(name), owner=(manifest.owner if manifest else "") or "平台", seen_by=SCOPES[register.scope],
            watched=_watched(register), rows=rows.get(("reg", table.name), 0), fields=tuple(register.fields.values()),
        ))
    found += [Collection(name=table, title=title, pack="平台", owner="平台", seen_by=who, watched=how, rows=rows.get(("public", table), 0)) for table, title, who, how in OWN]
    return found


def _watched(register: Register) -> str:
    secret = any(one.encrypt for one in register.fields.values())
    return "每次改动留前后值，导入、导出、打印留痕" + ("；敏感栏加密、遮掩，揭示留痕" if secret else "")


def _rows(connection: Connection) -> dict[tuple[str, str], int]:
    """Rows as the statistics say; a small table that was never looked at is counted."""
    said = connection.execute(text(
        "SELECT n.nspname, c.relname, CASE WHEN c.reltuples < 0 THEN s.n_live_tup ELSE c.reltuples::bigint END AS rows FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'reg')"))
    return {(row.nspname, row.relname): int(row.rows or 0) for row in said}


def share_watched(found: list[Collection]) -> tuple[int, int]:
    """(collections whose changes are noticed, all collections): numerator and denominator of 数据风险监测覆盖率."""
    return sum(bool(one.watched) for one in found), len(found)
