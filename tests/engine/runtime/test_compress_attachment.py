"""What is uploaded where the form asks for it is made smaller in the background; nothing is lost when that fails."""
from __future__ import annotations

import io
import random
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import av
import pytest
from PIL import Image
from sqlalchemy import Connection, select

from engine.form_filling.attachments import FileRule, store_attachment
from engine.kernel.errors import TooLarge
from engine.kernel.gm import sm3_hex
from engine.runtime.compress_attachment import compress_attachment, compress_later, compression_of, drop_originals, told
from engine.storage.tables.cases import attachment
from engine.storage.tables.organisation import audit
from tests.browser import Browser
from tests.town import Town


def noise(width: int, height: int) -> Image.Image:
    """A picture that compresses badly."""
    return Image.frombytes("RGB", (width // 4, height // 4), random.Random(1).randbytes(width * height // 16 * 3)).resize((width, height))


def film() -> bytes:
    made = io.BytesIO()
    picture = av.VideoFrame.from_image(noise(1920, 1080))
    with av.open(made, "w", format="mp4") as written:
        stream = written.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 1920, 1080, "yuv420p", 60_000_000
        for number in range(5):
            picture.pts = number
            written.mux(stream.encode(picture.reformat(format="yuv420p")))
        written.mux(stream.encode(None))
    return made.getvalue()


def scan() -> bytes:
    made = io.BytesIO()
    noise(1600, 1200).save(made, "PDF", quality=95)
    return made.getvalue()


def letter() -> bytes:
    made, photo = io.BytesIO(), io.BytesIO()
    noise(1600, 1200).save(photo, "JPEG", quality=95)
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w:document>正文</w:document>")
        archive.writestr("word/media/image1.jpeg", photo.getvalue())
    return made.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {"现场.mp4": film(), "文书.pdf": scan(), "报告.docx": letter(), "坏的.mp4": b"\0\0\0\x18ftypmp42" + b"x" * 300_000}


def upload(town: Town, connection: Connection, name: str, data: Any, **more: Any) -> UUID:
    meta = store_attachment(
        connection, town.app.blobs, actor=town.actor("officer"), case_id=None, task_id=None, field="data.videos", file_name=name, data=data, at=town.app.clock.now(), **more,
    )
    return UUID(meta.id)


@pytest.mark.requirement("CMD-001")
def test_video_and_documents_get_smaller_and_what_is_broken_stays_as_it_was(town: Town, files: dict[str, bytes]) -> None:
    app, kept = town.app, {}
    with app.db.begin() as connection:
        for name, data in files.items():
            kept[name] = upload(town, connection, name, io.BytesIO(data))
        assert compress_later(app, connection, attachment_ids=kept.values(), at=app.clock.now()) == 4
        assert compress_later(app, connection, attachment_ids=kept.values(), at=app.clock.now()) == 0
    app.jobs.run_due(app)
    with app.db.connect() as connection:
        rows = {row.file_name: row for row in connection.execute(select(attachment))}
        said = compression_of(connection, attachment_ids=kept.values())
        noted = {row.object: row.detail for row in connection.execute(select(audit).where(audit.c.action == "attachment.compress"))}
    for name in ("现场.mp4", "文书.pdf", "报告.docx"):
        one, data = said[kept[name]], files[name]
        assert one["state"] == "done" and rows[name].size < 0.7 * len(data), (name, one)
        assert rows[name].sm3 == one["after_sm3"] == sm3_hex(app.blobs.get(rows[name].sm3))
        assert (one["before_sm3"], noted[name]["before"]["sm3"], noted[name]["after"]["sm3"]) == (sm3_hex(data), sm3_hex(data), rows[name].sm3)
        assert app.blobs.get(one["before_sm3"]) == data
    broken = said[kept["坏的.mp4"]]
    assert (broken["state"], broken["words"]) == ("failed", "没有压缩成，原件照旧保留。")
    assert app.blobs.get(rows["坏的.mp4"].sm3) == files["坏的.mp4"]
    with av.open(io.BytesIO(app.blobs.get(rows["现场.mp4"].sm3))) as made:
        stream = made.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.width, stream.codec_context.height) == ("h264", 1280, 720)
    with zipfile.ZipFile(io.BytesIO(app.blobs.get(rows["报告.docx"].sm3))) as archive:
        assert archive.read("word/document.xml").decode() == "<w:document>正文</w:document>"
    page = Browser(app, "officer").get(f"/attachments/{kept['现场.mp4']}/progress")
    assert page.json["state"] == "done" and page.json["before"] == len(files["现场.mp4"])
    _originals_go_after_a_week(town, said, kept, files)


def _originals_go_after_a_week(town: Town, said: Any, kept: dict[str, UUID], files: dict[str, bytes]) -> None:
    app, at = town.app, town.app.clock.now()
    assert drop_originals(app, at=at + timedelta(days=6)) == 0
    with app.db.begin() as connection:
        again = upload(town, connection, "又一次.pdf", files["文书.pdf"])
    assert drop_originals(app, at=at + timedelta(days=8)) == 3
    assert not app.blobs.exists(said[kept["现场.mp4"]]["before_sm3"])
    assert app.blobs.exists(said[kept["文书.pdf"]]["before_sm3"]), again
    compress_attachment(app, attachment_id=str(kept["现场.mp4"]))  # a job that comes twice changes nothing


def test_a_form_that_asks_for_it_orders_it_on_upload_and_a_document_is_never_held_by_the_hundred_megabytes(town: Town, files: dict[str, bytes]) -> None:
    web = Browser(town.app, "officer")
    answers = [
        web.client.post("/attachments", data={"field": "data.documents", **more, "file": (io.BytesIO(files["文书.pdf"]), "文书.pdf")}, headers={"X-CSRF-Token": web.csrf})
        for more in ({"compress": "1"}, {})
    ]
    assert ["progress" in answer.json for answer in answers] == [True, False]

    class Large(io.BytesIO):
        def seek(self, place: int, whence: int = 0) -> int:
            super().seek(place, whence)
            return 70 * 2**20 if whence == 2 else place

    with town.app.db.begin() as connection, pytest.raises(TooLarge, match="除了视频"):
        upload(town, connection, "大.pdf", Large(files["文书.pdf"]), rule=FileRule(max_bytes=200 * 2**20))


def test_a_line_of_history_names_both_digests() -> None:
    assert told("现场.mp4", 3 * 2**20, "a" * 64, 2**20, "b" * 64) == "压缩附件“现场.mp4”：3.0 兆（SM3 aaaaaaaaaaaaaaaa…）→ 1.0 兆（SM3 bbbbbbbbbbbbbbbb…）"
