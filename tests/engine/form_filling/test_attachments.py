import io
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import ExifTags, Image
from sqlalchemy import Connection, select

from engine.access import Actor
from engine.form_filling.attachments import (
    FileRule,
    clean_name,
    find_usable,
    get_attachment,
    link_attachments,
    list_attachments,
    remove_attachment,
    store_attachment,
)
from engine.form_filling.context import AttachmentMeta
from engine.kernel.errors import Conflict, Forbidden, GuichengError, Invalid, NotFound, TooLarge
from engine.storage.blobs import BlobStore
from engine.storage.tables.cases import attachment
from engine.storage.tables.reference import blob
from tests.engine.access.organisation_factory import AT, City, small_city


class Desk:
    """An officer with a case, a stranger without, and a blob store."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.connection, self.blobs = connection, BlobStore(folder)
        self.city: City = small_city(connection)
        self.officer: Actor = self.city.sit("li", "TA_food", "officer")
        self.stranger: Actor = self.city.sit("wang", "TB_food", "officer")
        self.case: UUID = self.city.case("TA_food", handler=self.officer)

    def store(self, name: str = "a.png", data: bytes | None = None, **more: Any) -> AttachmentMeta:
        values: dict[str, Any] = {"actor": self.officer, "case_id": self.case, "task_id": None, "field": "photos", "at": AT} | more
        return store_attachment(self.connection, self.blobs, file_name=name, data=picture() if data is None else data, **values)

    def row(self, id: str) -> Any:
        return self.connection.execute(select(attachment).where(attachment.c.id == UUID(id))).one()


@pytest.fixture
def desk(connection: Connection, tmp_path: Path) -> Desk:
    return Desk(connection, tmp_path)


def picture(kind: str = "PNG", size: tuple[int, int] = (900, 600), exif: Image.Exif | None = None) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "steelblue").save(made, kind, **({"exif": exif} if exif else {}))
    return made.getvalue()


def test_a_picture_is_kept_with_a_thumbnail(desk: Desk) -> None:
    meta = desk.store()
    row = desk.row(meta.id)
    assert (meta.content_type, row.size, meta.thumbnail) == ("image/png", len(picture()), True)
    assert desk.blobs.get(row.sm3) == picture()
    small = Image.open(io.BytesIO(desk.blobs.get(row.thumbnail_sm3)))
    assert max(small.size) == 480
    assert desk.connection.scalar(select(blob.c.content_type).where(blob.c.sm3 == row.sm3)) == "image/png"


def test_what_the_camera_noted_is_kept_and_wins_over_what_the_page_says(desk: Desk) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "测试相机"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:02:27 14:22:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (31.0, 13.0, 48.0), 3: "E", 4: (121.0, 28.0, 12.0)})
    meta = desk.store("a.jpg", picture("JPEG", exif=exif), capture={"taken_at": "2000-01-01", "secret": "x"})
    capture = desk.row(meta.id).capture
    assert capture["taken_at"] == "2026-02-27T14:22:00+08:00"
    assert (capture["latitude"], capture["longitude"]) == (31.23, 121.47)
    assert "secret" not in capture


@pytest.mark.parametrize(
    ("name", "data", "error", "part"),
    [
        ("a.png", b"", Invalid, "空文件"),
        ("a.pdf", picture(), Invalid, "对不上"),
        ("a.txt", b"hello", Invalid, "类型不对"),
        ("a.jpg", b"MZ\x90", Invalid, "可执行"),
        ("a.png", picture()[:200], Invalid, "不完整"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"0" * 50, Invalid, "打不开"),
        ("a.pdf", b"%PDF-" + b"0" * (3 * 2**20), TooLarge, "最多 2 兆"),
    ],
)
def test_a_bad_file_leaves_nothing_behind(desk: Desk, name: str, data: bytes, error: type[GuichengError], part: str) -> None:
    with pytest.raises(error, match=part):
        desk.store(name, data, rule=FileRule(kinds=("image", "pdf"), max_bytes=2 * 2**20))
    assert list_attachments(desk.connection, case_id=desk.case) == []


def test_a_picture_bomb_is_refused(desk: Desk) -> None:
    made = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(made, "PNG")
    with pytest.raises(Invalid, match=r"像素|打不开"):
        desk.store("a.png", made.getvalue())


def test_a_field_takes_only_its_kinds(desk: Desk) -> None:
    with pytest.raises(Invalid, match="只收PDF"):
        desk.store(rule=FileRule(kinds=("pdf",)))


def test_who_may_not_see_the_case_does_not_find_the_file(desk: Desk) -> None:
    id = UUID(desk.store().id)
    assert get_attachment(desk.connection, actor=desk.officer, attachment_id=id)["id"] == id
    with pytest.raises(NotFound):
        get_attachment(desk.connection, actor=desk.stranger, attachment_id=id)


def test_a_file_without_a_case_is_its_uploaders_alone_until_it_is_linked(desk: Desk) -> None:
    id = desk.store(case_id=None).id
    assert find_usable(desk.connection, actor=desk.officer, attachment_id=id, case_id=None)
    assert find_usable(desk.connection, actor=desk.stranger, attachment_id=id, case_id=None) is None
    assert link_attachments(desk.connection, attachment_ids=[id], actor=desk.stranger, case_id=desk.case, task_id=None) == 0
    assert link_attachments(desk.connection, attachment_ids=[id], actor=desk.officer, case_id=desk.case, task_id=None) == 1
    assert [meta.id for meta in list_attachments(desk.connection, case_id=desk.case)] == [id]


def test_a_file_of_another_case_can_not_be_named(desk: Desk) -> None:
    other = desk.city.case("TB_food")
    id = desk.store().id
    assert find_usable(desk.connection, actor=desk.officer, attachment_id=id, case_id=other) is None
    assert find_usable(desk.connection, actor=desk.officer, attachment_id="no-id", case_id=desk.case) is None


def test_only_the_uploader_takes_a_file_away(desk: Desk) -> None:
    head = desk.city.sit("zhao", "TA", "bureau_head")
    id = UUID(desk.store().id)
    with pytest.raises(Forbidden):
        remove_attachment(desk.connection, actor=head, attachment_id=id, at=AT)
    remove_attachment(desk.connection, actor=desk.officer, attachment_id=id, at=AT)
    with pytest.raises(NotFound):
        get_attachment(desk.connection, actor=desk.officer, attachment_id=id)


def test_a_submitted_file_stays(desk: Desk) -> None:
    from tests.engine.form_filling.submissions import submit

    meta = desk.store()
    submit(desk.connection, case_id=desk.case, data={"photos": [{"id": meta.id}]}, at=AT)
    with pytest.raises(Conflict, match="已随表提交"):
        remove_attachment(desk.connection, actor=desk.officer, attachment_id=UUID(meta.id), at=AT)


def test_one_field_can_not_fill_the_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.form_filling.attachments.MOST_PER_FIELD", 2)
    task = desk.officer.post_id
    desk.store(task_id=task)
    desk.store(task_id=task)
    with pytest.raises(TooLarge):
        desk.store(task_id=task)


def test_what_belongs_to_nothing_yet_can_not_fill_the_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    size = desk.store(case_id=None, field="a").size
    monkeypatch.setattr("engine.form_filling.attachments.MOST_LOOSE", 2 * size)
    desk.store(case_id=None, field="b")
    with pytest.raises(TooLarge, match="还没有提交"):
        desk.store(case_id=None, field="c")
    desk.store(case_id=None, field="c", at=AT + timedelta(days=1, seconds=1))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\照片\\门头.jpg", "门头.jpg"),
        ("a\x00b\n.pdf", "ab.pdf"),
        ("...", "文件"),
        ("", "文件"),
        ("长" * 200 + ".jpeg", "长" * 115 + ".jpeg"),
        ("\u202egpj.exe", "gpj.exe"),
    ],
)
def test_names_of_files_are_tamed(name: str, clean: str) -> None:
    assert clean_name(name) == clean
