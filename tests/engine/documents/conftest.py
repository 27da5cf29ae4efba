"""A bureau with a station, three people with seals, a case, and a template, on a fresh database."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, insert, select

from engine.documents.draft import Drafted, draft_document
from engine.documents.issue import Issued, issue_document
from engine.documents.jobs import JOBS
from engine.documents.seals import create_personal_seal, create_unit_seal, grant_seal
from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.gm import KeyRing, sm3_hex
from engine.kernel.ids import new_id
from engine.kernel.settings import Settings
from engine.packs.catalogue import Catalogue
from engine.packs.library import Library
from engine.packs.manifest import Manifest, NumberRule
from engine.storage.blobs import BlobStore
from engine.storage.jobs import JobQueue
from engine.storage.tables.cases import case_file
from engine.storage.tables.content import definition
from engine.storage.tables.documents import document
from engine.storage.tables.organisation import person, post, unit

AT = datetime(2026, 11, 20, 10, 43, tzinfo=SHANGHAI)
FROM, UNTIL = date(2025, 7, 1), date(2027, 6, 30)
LETTER = """---
title: 行政处罚决定书
number: decision
seal: unit_enforcement
blocks: {facts: 违法事实}
---
<h2>{{ unit.name }}<br>行政处罚决定书</h2>
<p class="number">{{ number }}</p>
<p class="n">当事人：{{ data.party }}</p>
<p>2026年10月9日，本局在监督抽查中发现当事人销售的“云驰”牌电动自行车检验不合格。</p>
{% call block("facts") %}
经查，当事人购进电动自行车20辆，货值金额{{ data.value|money }}元。
当事人主动召回4辆。
{% endcall %}
<p>以上罚没款合计人民币{{ data.total|capital }}（{{ data.total|money }}元）。</p>
<div class="sign">{{ anchor("seal") }}<p>{{ unit.name }}</p><p>{{ today|cn_date }}</p></div>
"""
FORM = """---
title: 立案审批表
number: filing
seal: unit_official
layout: table
signatures: opinions
---
<h2>立案审批表</h2>
<p class="number">{{ number }}</p>
<table>
<tr><th>案由</th><td>{{ data.cause }}</td></tr>
<tr><th>当事人</th><td>{{ case.subject }}</td></tr>
{% for opinion in opinions %}
<tr><th>{{ opinion.title }}</th><td><p>{{ opinion.words }}</p>
<p class="signed">{{ opinion.signature }}　{{ opinion.date|cn_date }}</p></td></tr>
{% endfor %}
</table>
<div class="sign">{{ anchor("seal") }}<p>{{ unit.name }}</p><p>{{ today|cn_date }}</p></div>
"""


@dataclass
class Bureau:
    """The fixture's world: ids by short names, and short ways to the functions under test."""

    app: Any
    units: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)
    templates: dict[str, UUID] = field(default_factory=dict)
    seals: dict[str, UUID] = field(default_factory=dict)
    case_id: UUID = field(default_factory=new_id)

    def draft(self, connection: Connection, template: str = "letter", *, key: str = "", **changes: Any) -> Drafted:
        data = {"party": "上海砚汀车业有限公司", "value": "47600", "total": "50180.00", "cause": "销售不合格电动自行车案"}
        values: dict[str, Any] = {
            "key": key or f"i:{new_id()}:{template}", "template": f"sample.{template}", "definition_id": self.templates[template],
            "case_id": self.case_id, "data": data, "at": AT - timedelta(days=3), "actor_id": self.people["gu"], "actor_name": "顾明川",
        }
        return draft_document(self.app, connection, **(values | changes))

    def issue(self, connection: Connection, document_id: UUID, **changes: Any) -> Issued:
        values: dict[str, Any] = {"actor_id": self.people["shen"], "actor_name": "沈砚秋", "at": AT}
        return issue_document(self.app, connection, document_id=document_id, **(values | changes))

    def opinions(self) -> list[dict[str, Any]]:
        """What the officer, then the head wrote."""
        return [
            {"node": node, "title": title, "person": name, "person_id": str(self.people[who]), "words": words, "date": "2026-11-20"}
            for node, title, who, name, words in (
                ("draft", "承办人意见", "gu", "顾明川", "建议立案。"), ("agency_approval", "负责人意见", "shen", "沈砚秋", "同意立案。"),
            )
        ]

    def sealed(self, template: str = "letter", **changes: Any) -> Any:
        """The row of a document that was drafted, issued and sealed."""
        with self.app.db.begin() as connection:
            drafted = self.draft(connection, template)
        with self.app.db.begin() as connection:
            self.issue(connection, drafted.id, **changes)
        self.app.jobs.run_due(self.app)
        return self.row(drafted.id)

    def row(self, document_id: UUID) -> Any:
        with self.app.db.connect() as connection:
            return connection.execute(select(document).where(document.c.id == document_id)).one()

    def pdf(self, row: Any) -> bytes:
        data: bytes = self.app.blobs.get(row.pdf_sm3)
        return data


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def bureau(database: Engine, tmp_path: Path, key_folder: Path) -> Bureau:
    """A bureau ready to issue."""
    jobs = JobQueue(database)
    for name, function in JOBS.items():
        jobs.register(name, function)
    jobs.close()
    rules: Mapping[str, NumberRule] = {
        "sample.decision": NumberRule(name="sample.decision", title="处罚决定文号", pattern="{unit}处〔{year}〕{seq:06}号"),
        "sample.filing": NumberRule(name="sample.filing", title="立案文号", pattern="{unit}立〔{year}〕{seq:04}号", per="unit"),
    }
    app = SimpleNamespace(
        settings=Settings(database_url="", data_dir=tmp_path, public_url="https://example.invalid/gc", environment="demo"),
        clock=FixedClock(AT), db=database,
        blobs=BlobStore(tmp_path / "blobs"), jobs=jobs, keys=KeyRing(key_folder), library=Library(database),
        catalogue=Catalogue({"sample": Manifest(name="sample", title="样例", numbers=rules)}),
    )
    made = Bureau(app)
    with database.begin() as connection:
        _units(connection, made)
        _people(connection, made)
        _content(connection, made)
        _seals(connection, made)
    return made


def _units(connection: Connection, made: Bureau) -> None:
    city, district, station = new_id(), new_id(), new_id()
    made.units = {"city": city, "district": district, "station": station}
    shared = {"bureau": "market_regulation", "updated_at": AT}
    for id, parent, kind, code, name, word, path, area in (
        (city, None, "city_bureau", "310", "上海市市场监督管理局", "沪市监", "310/", None),
        (district, city, "district_bureau", "31199", "上海市云浦区市场监督管理局", "沪市监云", "310/31199/", district),
        (station, district, "station", "3119902", "云浦区市场监督管理局云汀所", "", "310/31199/3119902/", district),
    ):
        connection.execute(insert(unit).values(
            id=id, parent_id=parent, kind=kind, code=code, name=name, short_name=name[-4:], number_word=word, path=path,
            district_id=area, **shared
        ))


def _people(connection: Connection, made: Bureau) -> None:
    for short, name, where, code in (
        ("gu", "顾明川", "station", "officer"), ("shen", "沈砚秋", "district", "bureau_head"), ("lu", "陆望舒", "station", "officer"),
    ):
        made.people[short] = new_id()
        connection.execute(insert(person).values(id=made.people[short], name=name, updated_at=AT))
        connection.execute(insert(post).values(
            id=new_id(), person_id=made.people[short], unit_id=made.units[where], code=code, title=code, main=True, valid_from=FROM
        ))


def _content(connection: Connection, made: Bureau) -> None:
    for name, text in (("letter", LETTER), ("form", FORM)):
        made.templates[name] = new_id()
        content = text.encode()
        connection.execute(insert(definition).values(
            id=made.templates[name], kind="document", name=f"sample.{name}", version=1, title=name, content=content,
            hash=sm3_hex(content), meta={}, source="folder", created_at=AT,
        ))
    connection.execute(insert(case_file).values(
        id=made.case_id, kind="sample.case", number="沪市监云案〔2026〕0317号", title="销售不合格电动自行车案",
        subject="上海砚汀车业有限公司", state="open", state_title="办理中",
        unit_id=made.units["station"], district_id=made.units["district"], created_at=AT, updated_at=AT,
    ))


def _seals(connection: Connection, made: Bureau) -> None:
    for kind in ("unit_enforcement", "unit_official"):
        made.seals[kind] = create_unit_seal(
            made.app, connection, unit_id=made.units["district"], kind=kind, valid_from=FROM, valid_until=UNTIL, at=AT, demo=True
        )
        grant_seal(connection, seal_id=made.seals[kind], post="bureau_head", valid_from=FROM, source="用印管理办法")
    for who in ("gu", "shen"):
        made.seals[who] = create_personal_seal(
            made.app, connection, person_id=made.people[who], pin="246810", valid_from=FROM, valid_until=UNTIL, at=AT,
            organisation="上海市云浦区市场监督管理局", demo=True,
        )
