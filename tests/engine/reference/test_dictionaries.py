from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Connection

from engine.kernel.errors import Invalid, NotFound
from engine.reference.dictionaries import add_entry, dictionary_names, end_entry, load_dictionary, seed_dictionary, titles
from engine.reference.pinyin import matches, pinyin_key

NAME = "sample.street"
ENTRIES = [
    {"code": "b", "title": "曹家渡街道", "parent": "310106", "detail": {"short": "曹家渡"}},
    {"code": "a", "title": "长寿路街道", "parent": "310107", "from": date(2020, 1, 1)},
    {"code": "c", "title": "旧街道", "parent": "310106", "until": date(2020, 1, 1)},
]
ON = date(2026, 3, 2)


def test_a_form_offers_what_is_in_force_in_the_order_given_and_cascades(connection: Connection) -> None:
    seed_dictionary(connection, dictionary=NAME, entries=ENTRIES)
    loaded = load_dictionary(connection, dictionary=NAME)
    assert [e.code for e in loaded.options(on=ON)] == ["b", "a"]
    assert [e.code for e in loaded.options(on=date(2019, 12, 31), parent="310106")] == ["b", "c"]
    assert loaded.stored("b", on=ON) == {"code": "b", "title": "曹家渡街道"}
    assert loaded.detail("b", "short") == "曹家渡" and loaded.detail("a", "short") is None and loaded.detail("x", "short") is None
    with pytest.raises(Invalid):
        loaded.get("c", on=ON)
    assert loaded.title("c") == "旧街道"
    assert NAME in dictionary_names(connection)
    with pytest.raises(NotFound):
        load_dictionary(connection, dictionary="sample.nothing")


@pytest.mark.parametrize(("text", "codes"), [("cjd", ["b"]), ("caojia", ["b"]), ("街道", ["b", "a"]), ("长寿", ["a"]), ("zzz", [])])
def test_entries_are_found_by_title_pinyin_or_initials(connection: Connection, text: str, codes: list[str]) -> None:
    seed_dictionary(connection, dictionary=NAME, entries=ENTRIES)
    assert [e.code for e in load_dictionary(connection, dictionary=NAME).search(text, on=ON)] == codes


def test_seeding_again_takes_new_words_ends_what_is_gone_and_keeps_what_administrators_did(connection: Connection) -> None:
    seed_dictionary(connection, dictionary=NAME, entries=ENTRIES)
    add_entry(connection, dictionary=NAME, code="z", title="新设街道", detail={"short": "新"})
    end_entry(connection, dictionary=NAME, code="a", last_day=date(2026, 1, 1))
    seed_dictionary(connection, dictionary=NAME, entries=[{"code": "b", "title": "曹家渡"}, ENTRIES[1]])
    loaded = load_dictionary(connection, dictionary=NAME)
    assert [(e.code, e.title) for e in loaded.options(on=ON)] == [("b", "曹家渡"), ("z", "新设街道")]
    assert titles(connection, dictionary=NAME, codes=["c", "z", "?"]) == ["旧街道", "新设街道", "?"]
    with pytest.raises(Invalid):
        add_entry(connection, dictionary=NAME, code="b", title="重复")
    with pytest.raises(NotFound):
        end_entry(connection, dictionary=NAME, code="?", last_day=ON)
    with pytest.raises(Invalid):
        seed_dictionary(connection, dictionary=NAME, entries=[ENTRIES[0], ENTRIES[0]])


@pytest.mark.parametrize(
    ("name", "key"),
    [("曾伟", "zengwei zw"), ("单于明", "chanyuming cym"), ("单小红", "shanxiaohong sxh"), ("仇英", "qiuying qy"), ("王重阳", None)],
)
def test_surnames_are_read_as_surnames(name: str, key: str | None) -> None:
    assert pinyin_key(name, person=True) == key if key else pinyin_key(name, person=True).startswith("wang")


def test_an_empty_query_matches_everything() -> None:
    assert (
        matches("", title="甲", key="jia j") and matches("ＪＩＡ", title="甲", key="jia j") and not matches("ia", title="甲", key="jia j")
    )
