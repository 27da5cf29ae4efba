"""技术文件 are made of the product: every document that an acceptance asks for, with what it has to hold, in Chinese."""
from __future__ import annotations

import io
import re
from typing import Any

import docx
import pytest

from engine.inspection.load import load_tree
from engine.inspection.papers.contents import PAPERS
from engine.inspection.papers.markdown import read
from engine.inspection.papers.word import write_word
from engine.kernel.names import pack_of
from engine.kernel.settings import ROOT, Settings

HOLDS = {
    "系统说明文件": ("五分钟看一遍", "功能一览"),
    "用户需求说明书": ("PEN-1168", "NFM-045", "已证明"),
    "系统概要设计说明书": ("楼层", "业务包", "安全", "对外接口", "部署"),
    "系统详细设计说明书": ("case_filing.clue_handling", "承办人核查处理", "线索名称", "case_file", "《市场监督管理行政处罚程序规定》第十八条第一款"),
    "三方功能需求确认单": ("建设单位", "承建单位", "监理单位", "CMD-001"),
    "测试报告": ("已证明", "通过", "viewflow"),
    "用户使用手册": ("登录", "立案", "按“", "名词"),
    "系统部署文档和技术手册": ("安装", "GUICHENG_PROXIES", "端口和访问关系", "python -m engine restore", "出了问题", "测试"),
    "应用软件功能清单": ("流程", "台账", "统计", "雨伞借用"),
    "第三方组件许可清单": ("SpiffWorkflow", "Flask", "bpmn-js", "MIT"),
}


@pytest.mark.requirement("NFM-045")
@pytest.mark.requirement("NFR-055")
@pytest.mark.requirement("NFR-100")
def test_each_document_opens_in_word_and_holds_what_it_is_for() -> None:
    tree, shown = load_tree(), {"common", "borrow_umbrella", "case_filing", "approval", "signing", "time_limits", "enforcement_base", "dispatch"}
    tree.__dict__["files"] = {key: file for key, file in tree.files.items() if pack_of(key[1]) in shown}  # the others are made alike, and take their time
    assert set(PAPERS) == set(HOLDS)
    for name, made in PAPERS.items():
        paper = docx.Document(io.BytesIO(write_word(made(tree, {"restore": "把备份恢复到空的数据目录。"}), title=name, under="规程平台")))
        words = "\n".join([*(one.text for one in paper.paragraphs), *("".join(one.itertext()) for one in paper.element.body.iter("{*}tbl"))])
        assert not [held for held in HOLDS[name] if held not in words], name
        assert paper.paragraphs[0].text == name and (name == "三方功能需求确认单" or any(str(one.style.name).startswith("Heading") for one in paper.paragraphs if one.style))


def test_every_setting_stands_in_the_page_about_deployment() -> None:
    named = {name for line in re.findall(r"\[([A-Z_, ]+)\]", Settings.__doc__ or "") for name in line.split(", ")}
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    assert len(named) > 10 and not [name for name in named if f"`{name}`" not in page]


def test_our_pages_are_read_into_blocks(tmp_path: Any) -> None:
    text = "# 题\n\n一段**粗**的\n接着的`码`。\n\n- 一项\n1. 又一项\n\n| 甲 | 乙 |\n|---|---|\n| 1 | [链](x) |\n\n```bash\nls | wc\n```\n![图](a.png)\n"
    found = [(one.kind, one.text or one.rows) for one in read(text, folder=tmp_path)]
    assert found == [
        ("heading", "题"), ("text", "一段粗的接着的码。"), ("item", "一项"), ("item", "又一项"), ("table", (("甲", "乙"), ("1", "链"))), ("code", "ls | wc"), ("picture", "图"),
    ]
