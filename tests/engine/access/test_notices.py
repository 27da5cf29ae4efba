from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from engine.access.notices import NewNotice, count_unread, list_notices, mark_read, mark_task_read, send_notices
from engine.access.phrases import COMMON, phrases_of, save_phrases
from engine.kernel.errors import Invalid
from engine.kernel.ids import new_id
from tests.engine.access.organisation_factory import AT, small_city


def test_notices_are_counted_paged_and_marked_by_their_reader_only(connection: Connection) -> None:
    city = small_city(connection)
    li, wang = city.sit("li", "TA_s1", "officer"), city.sit("wang", "TA_s1", "officer")
    for i in range(3):
        send_notices(connection, notices=[NewNotice(person_id=li.person_id, kind="task", text=f"第{i}件")], at=AT + timedelta(minutes=i))
    send_notices(connection, notices=[NewNotice(person_id=wang.person_id, kind="task", text="他的")], at=AT)
    assert send_notices(connection, notices=[], at=AT) == 0
    assert count_unread(connection, person_id=li.person_id) == 3
    first = list_notices(connection, person_id=li.person_id, limit=2)
    rest = list_notices(connection, person_id=li.person_id, before=(first[-1].at, first[-1].id))
    assert [row.text for row in [*first, *rest]] == ["第2件", "第1件", "第0件"]
    assert mark_read(connection, person_id=li.person_id, ids=[first[0].id], at=AT) == 1
    assert [row.text for row in list_notices(connection, person_id=li.person_id, unread_only=True)] == ["第1件", "第0件"]
    assert mark_read(connection, person_id=li.person_id, at=AT) == 2
    assert count_unread(connection, person_id=wang.person_id) == 1


def test_a_task_that_was_taken_clears_the_notices_of_the_whole_pool(connection: Connection) -> None:
    city = small_city(connection)
    pool = [city.sit(name, "TA_s1", "officer").person_id for name in ("li", "wang")]
    task_id = new_id()
    send_notices(connection, notices=[NewNotice(person_id=p, kind="task", text="新任务", task_id=task_id) for p in pool], at=AT)
    assert mark_task_read(connection, task_id=task_id, at=AT) == 2
    assert [count_unread(connection, person_id=p) for p in pool] == [0, 0]


def test_own_opinions_replace_the_common_ones(connection: Connection) -> None:
    li = small_city(connection).sit("li", "TA_s1", "officer")
    assert phrases_of(connection, person_id=li.person_id) == list(COMMON)
    save_phrases(connection, person_id=li.person_id, texts=[" 同意立案。 ", "", "退回。", "同意立案。"])
    assert phrases_of(connection, person_id=li.person_id) == ["同意立案。", "退回。"]
    with pytest.raises(Invalid):
        save_phrases(connection, person_id=li.person_id, texts=["长" * 201])
    with pytest.raises(Invalid):
        save_phrases(connection, person_id=li.person_id, texts=[str(i) for i in range(31)])
    save_phrases(connection, person_id=li.person_id, texts=[])
    assert phrases_of(connection, person_id=li.person_id) == list(COMMON)
