"""Files that go up before there is a case become the case's with the act that starts it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from engine.kernel.errors import Invalid
from engine.runtime.start_case import start_case
from engine.storage.tables.cases import attachment
from engine.storage.tables.runtime import task
from tests.engine.web.test_form_data import Browser
from tests.town import Town

CLUE = {"source": "complaint", "received_on": "2026-11-20", "title": "某超市销售超过保质期的食品", "content": "消费者反映买到过期面包。"}


@pytest.fixture
def app(town: Town) -> Any:
    return town.app


def sent_photo(app: Any, town: Town, login: str) -> str:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(made, "JPEG")
    told = Browser(app, town, login).upload("门头.jpg", made.getvalue())
    assert told.status_code == 201, told.text
    return str(told.get_json()["id"])


def start(app: Any, town: Town, photo: str, key: str) -> Any:
    data = {**CLUE, "scene_photos": [{"id": photo, "caption": "门头"}]}
    return start_case(
        app, actor=town.actor("officer"), process="case_filing.clue_intake", data=data, outcome="submit", key=key, at=app.clock.now()
    )


def test_a_photo_sent_before_the_start_belongs_to_the_case_afterwards(app: Any, town: Town) -> None:
    photo = sent_photo(app, town, "officer")
    result = start(app, town, photo, "start-with-photo")
    with app.db.connect() as connection:
        assert connection.scalar(select(attachment.c.case_id).where(attachment.c.id == photo)) == result.case_id
    assert Browser(app, town, "head").client.get(f"/attachments/{photo}").status_code == 200


def test_a_photo_of_somebody_else_can_not_be_named(app: Any, town: Town) -> None:
    photo = sent_photo(app, town, "other_officer")
    with pytest.raises(Invalid) as refused:
        start(app, town, photo, "start-with-foreign-photo")
    assert refused.value.fields == {"scene_photos.0": "这个文件已不在，请删去后重新上传。"}


def test_a_field_of_photos_refuses_a_pdf_at_once(app: Any, town: Town) -> None:
    start_case(app, actor=town.actor("officer"), process="case_filing.clue_intake", data=CLUE, outcome="submit", key="start-plain", at=app.clock.now())
    with app.db.connect() as connection:
        verify = connection.scalar(select(task.c.id).where(task.c.node == "verify"))
    told = Browser(app, town, "officer").upload("说明.pdf", b"%PDF-1.7\n%%EOF\n", task=str(verify), field="inspection_photos")
    assert told.status_code == 422, told.text
    assert told.get_json()["error"]["fields"] == {"inspection_photos": "只收图片。"}
