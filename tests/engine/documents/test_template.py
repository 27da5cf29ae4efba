"""Templates that are refused, and how words read."""
from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from engine.documents.compose import Snapshot, compose
from engine.documents.pieces import included, pieces_for
from engine.documents.render import render_pdf
from engine.documents.template import check_piece, environment, parse_template
from engine.documents.words import capital, cn_date, cn_datetime, mask_name, money
from engine.kernel.errors import DeployRefused, Invalid


def template(head: str, body: str = "") -> bytes:
    return f"---\n{head}\n---\n{body}".encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<p>no head</p>", "开头应有两行"),
        (template("number: x"), "缺少标题"),
        (template("title: 书\nsael: unit_official"), "不认识的键 sael"),
        (template("title: 书\nseal: stamp"), "印章应是"),
        (template("title: 书\nseal: unit_official"), 'anchor("seal")'),
        (template("title: 书\nsignatures: [{anchor: head, node: review}]"), 'anchor("head")'),
        (template("title: 书", "{{ secret }}"), "不存在的名称 secret"),
        (template("title: 书", "{{ data.x|upcase }}"), "没有过滤器 upcase"),
        (template("title: 书", "{% include 'x' %}"), "不能引用别的文件"),
        (template("title: 书", "{{ data.x "), "模板写错了"),
        (template("title: 书", "{{ block('facts') }}"), "没有在 blocks 里声明"),
        (template("title: 书\nblocks: {facts: 事实}"), "正文没有用"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_faulty_template_is_refused_with_what_is_wrong(content: bytes, words: str) -> None:
    with pytest.raises(DeployRefused) as refused:
        parse_template(content, name="sample.bad")
    assert words in refused.value.message + "".join(f["message"] for f in refused.value.findings)


def test_an_answer_that_was_not_given_prints_as_nothing() -> None:
    parsed = parse_template(template("title: 书", "<i>{{ data.day|cn_date }}{{ data.fine.amount|capital }}</i>"), name="sample.blank")
    assert "<i></i>" in compose(parsed, Snapshot(), check_code="", verify_url="").html


def test_an_attribute_of_python_itself_prints_nothing() -> None:
    parsed = parse_template(template("title: 书", "<b>{{ ''.__class__ }}</b>"), name="sample.bad")
    assert "<b></b>" in compose(parsed, Snapshot(), check_code="", verify_url="").html


@pytest.mark.parametrize("body", ["{{ ''.__class__.__mro__[1]() }}", "{{ range(10**9) }}", "{{ data.x|money }}"])
def test_a_body_that_reaches_out_of_the_sandbox_or_fails_makes_no_document(body: str) -> None:
    parsed = parse_template(template("title: 书", body), name="sample.bad")
    with pytest.raises(Invalid, match="没有生成"):
        compose(parsed, Snapshot(data={"x": "abc"}), check_code="", verify_url="")


def test_the_renderer_fetches_nothing_from_files_or_the_network(tmp_path: object) -> None:
    outside = '<img src="file:///etc/hostname"><img src="http://127.0.0.1:9/x.png"><link rel="stylesheet" href="file:///etc/passwd">'
    pdf = render_pdf(f"<p>x</p>{outside}")
    assert pdf.startswith(b"%PDF")


def test_our_filters_are_there_and_no_loader() -> None:
    assert environment().loader is None
    assert environment().from_string("{{ '50180'|capital }}").render() == "伍万零壹佰捌拾元整"


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"), ("0.05", "伍分"), ("0.50", "伍角整"), ("1.05", "壹元零伍分"), ("10", "壹拾元整"), ("105.30", "壹佰零伍元叁角整"),
        ("1000", "壹仟元整"), ("10005", "壹万零伍元整"), ("50180.00", "伍万零壹佰捌拾元整"), ("100000000", "壹亿元整"),
        ("100010001.01", "壹亿零壹万零壹元零壹分"), ("20000300", "贰仟万零叁佰元整"), ("-3.2", "负叁元贰角整"), ("", ""),
        ("1000000000000", "壹兆元整"), ("100002000", "壹亿零贰仟元整"),
    ],
)
def test_amounts_in_capital_digits(amount: str, words: str) -> None:
    assert capital(amount) == words


def test_amounts_dates_and_names_read_as_in_a_letter() -> None:
    assert (money("47600"), money("1234567.5"), money(None)) == ("47,600.00", "1,234,567.50", "")
    assert (cn_date("2026-11-05"), cn_date(date(2026, 1, 2)), cn_date("")) == ("2026年11月5日", "2026年1月2日", "")
    assert cn_date(datetime(2026, 12, 31, 16, 1, tzinfo=UTC)) == "2027年1月1日"
    assert cn_datetime("2026-11-20T02:43:00+00:00") == "2026年11月20日10时43分"
    names = {"上海砚汀车业有限公司": "上海砚****有限公司", "莫听澜": "莫**", "顾": "顾", "云汀小吃店": "云****店", "": ""}
    assert {name: mask_name(name) for name in names} == names
    with pytest.raises(ValueError, match="不是金额"):
        money("abc")


PIECE = b"---\ntitle: \xe8\x90\xbd\xe6\xac\xbe\nvalues: [place]\n---\n<p>{{ place }}{{ anchor('seal') }}</p>\n"


def test_a_piece_stands_where_it_is_included_and_brings_its_places_for_seals() -> None:
    body = "{% set place = '云汀路' %}\n{% include 'other.foot' %}\n<p>{{ title }}</p>"
    parsed = parse_template(template("title: 书\nseal: unit_official", body), name="sample.letter", pieces=(("other.foot", PIECE),))
    made = compose(parsed, Snapshot(), check_code="", verify_url="")
    assert "<p>云汀路" in made.html
    assert "<p>书</p>" in made.html
    assert made.anchors == ("seal",)


def test_a_piece_of_the_own_pack_stands_bare_and_is_listed_once() -> None:
    content = template("title: 书", '{% include "foot" %}{%- include "other.foot" -%}{% include "foot" %}')
    assert included(content, pack="sample") == ("sample.foot", "other.foot")


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        (b"<p>no head</p>", "开头应有两行"),
        (template("title: 片段\nseal: x"), "不认识的键 seal"),
        (template("values: [a]"), "缺少标题"),
        (template("title: 片段\nvalues: a"), "values 应是"),
        (template("title: 片段", "{{ place }}"), "不存在的名称 place"),
        (template("title: 片段", '{% include "other.piece" %}'), "片段里不能再引用"),
        (template("title: 片段", "{{ data.x|upcase }}"), "没有过滤器"),
    ],
)
def test_a_faulty_piece_is_refused_with_what_is_wrong(piece: bytes, words: str) -> None:
    with pytest.raises(DeployRefused) as refused:
        check_piece(piece, name="sample.piece")
    assert words in refused.value.message + "".join(f["message"] for f in refused.value.findings)


def test_a_piece_that_is_not_there_is_named() -> None:
    with pytest.raises(DeployRefused) as refused:
        pieces_for(template("title: 书", '{% include "other.foot" %}'), pack="sample", find=lambda name: None)
    assert [finding["element"] for finding in refused.value.findings] == ["other.foot"]


def test_a_file_that_is_no_piece_can_not_be_included() -> None:
    with pytest.raises(DeployRefused, match="1 处"):
        parse_template(template("title: 书", '{% include "../../etc/passwd" %}'), name="sample.bad")
