"""Every operation once, as an integrator would use it."""
from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from tests.engine.runtime.walk import CLUE, HANDLING, application
from tests.engine.web.api.caller import Caller, give_right
from tests.town import Town

Callers = Callable[[str], Caller]


def one_task(caller: Caller) -> Any:
    (found,) = caller.get("/tasks")["items"]
    return caller.get(f"/tasks/{found['task_id']}")


def test_a_token_tells_whom_it_stands_for(caller: Callers) -> None:
    me = caller("officer").get("/me")

    assert (me["name"], me["post_code"], me["requests_per_minute"]) == ("顾明川", "officer", 600)


def test_starts_come_with_their_form(caller: Callers) -> None:
    offered = caller("officer").get("/starts")["items"]
    form = caller("officer").get("/starts/case_filing.clue_intake")

    assert "case_filing.clue_intake" in [one["process"] for one in offered]
    assert form["form"]["schema"]["properties"]["source"]["x-gc"] == {
        "dictionary": "case_filing.source", "fact": "source", "field": "case_filing.clue.source", "prefill": "task.clue_received.source", "widget": "choice",
    }
    assert form["form"]["schema"]["required"] and form["data"]["received_on"] == "2026-11-20"
    assert [one["value"] for one in form["outcomes"]] == ["submit"]


def test_who_may_not_start_is_refused(caller: Callers) -> None:
    assert caller("chief").get("/starts/case_filing.clue_intake", 403)["code"] == "forbidden"
    assert caller("chief").act("/cases", {"process": "case_filing.clue_intake", "data": CLUE}, status=403)["code"] == "forbidden"


def test_a_started_case_says_who_is_next_and_where_it_stands(caller: Callers, started: dict[str, Any]) -> None:
    assert [(one["title"], one["mine"]) for one in started["next_tasks"]] == [("承办人核查处理", True)]
    read = caller("officer").get(f"/cases/{started['case_id']}")
    assert (read["number"], read["state"], len(read["tasks"]), len(read["clocks"])) == ("沪市监云线〔2026〕0001号", "registered", 1, 1)
    assert read["tasks"][0]["mine"] and read["runs"][0]["status"] == "running"


def test_a_task_tells_form_rights_values_and_buttons(caller: Callers, started: dict[str, Any]) -> None:
    task = one_task(caller("officer"))

    assert task["form"]["name"] == "case_filing.clue_handling" and task["form"]["rights"]["findings"] == "write"
    assert task["data"]["verified_on"] == "2026-11-20"
    assert {one["value"]: one["title"] for one in task["outcomes"]}["file"] == "拟立案"
    assert task["draft"] == {"rev": 0, "saved_at": None, "opinion": ""}


def test_others_of_the_case_read_the_task_without_its_form(caller: Callers, started: dict[str, Any]) -> None:
    task = one_task(caller("officer"))

    seen = caller("head").get(f"/tasks/{task['id']}")

    assert seen["title"] == task["title"] and seen["form"] is None and seen["outcomes"] == [] and not seen["mine"]


def test_a_draft_is_kept_and_a_stale_one_refused(caller: Callers, started: dict[str, Any]) -> None:
    officer = caller("officer")
    task = one_task(officer)
    path = f"/tasks/{task['id']}/draft"

    first = officer.send("PUT", path, json={"data": {"findings": "写到一半"}, "opinion": "先存着", "rev": 0, "form_hash": task["form"]["hash"]})
    assert first.get_json()["rev"] == 1
    stale = officer.send("PUT", path, json={"data": {}, "rev": 0})
    again = one_task(officer)

    assert (stale.status_code, stale.get_json()["code"]) == (409, "stale_revision")
    assert again["data"]["findings"] == "写到一半" and again["draft"]["opinion"] == "先存着" and again["draft"]["rev"] == 1


def test_the_next_people_are_foretold(caller: Callers, started: dict[str, Any]) -> None:
    task = one_task(caller("officer"))

    found = caller("officer").get(f"/tasks/{task['id']}/next", outcome="file")["items"]

    assert found and all(one["title"] for one in found)
    assert caller("head").get(f"/tasks/{task['id']}/next", 403, outcome="file")["code"] == "forbidden"


def test_wrong_answers_come_back_by_field(caller: Callers, started: dict[str, Any]) -> None:
    task = one_task(caller("officer"))

    wrong = caller("officer").act(f"/tasks/{task['id']}/complete", {"outcome": "file", "data": {"findings": "", "colour": "red"}}, status=422)

    assert wrong["code"] == "invalid" and {"verified_on", "findings", "colour", "party"} <= set(wrong["fields"])


def to_review(caller: Callers, town: Town) -> Any:
    """From the registered clue to the office head's desk."""
    officer = caller("officer")
    officer.act(f"/tasks/{one_task(officer)['id']}/complete", {"outcome": "file", "data": HANDLING})
    return officer.act(f"/tasks/{one_task(officer)['id']}/complete", {"outcome": "submit", "data": application(town)})


def test_completing_returning_and_doing_it_again(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)
    review = one_task(caller("head"))
    assert [target["node"] for target in review["return_targets"]] == ["draft"]

    caller("head").act(f"/tasks/{review['id']}/return", {"to_node": "draft", "opinion": "请补充证据。"})
    back = one_task(caller("officer"))
    assert back["returned"] and back["from_words"] == "请补充证据。" and back["data"]["cause"] == "经营超过保质期的食品"
    caller("officer").act(f"/tasks/{back['id']}/complete", {"outcome": "submit", "data": application(town)})

    assert caller("head").act(f"/tasks/{review['id']}/complete", {"outcome": "approve"}, status=409)["code"] == "already_done"
    assert caller("officer").get(f"/tasks/{review['id']}")["status"] == "done"


def test_an_act_is_withdrawn_while_nobody_went_on(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)
    own = caller("officer").get(f"/cases/{started['case_id']}")["withdrawable_act_id"]

    caller("officer").act(f"/acts/{own}/withdraw")

    back = one_task(caller("officer"))
    assert back["node"] == "draft" and back["data"]["party"]["identifier"] == "91310101MA1FPX1234"
    assert caller("officer").act(f"/acts/{own}/withdraw", status=409)["code"] == "conflict"


def test_a_pool_task_is_claimed_released_and_transferred(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    give_right(town, "officer", "messages")
    pushed = caller("officer").act("/messages/clue_received", clue("TS1"), status=202)
    task = next(one for one in caller("officer_two").get("/tasks")["items"] if one["case_id"] == pushed["case_id"])
    path = f"/tasks/{task['task_id']}"
    assert task["pool"]

    caller("officer_two").act(f"{path}/claim")
    assert caller("officer").act(f"{path}/claim", status=409)["code"] == "conflict"
    caller("officer_two").act(f"{path}/release")
    caller("officer").act(f"{path}/claim")
    caller("officer").act(f"{path}/transfer", {"to_person_id": str(town.people["officer_two"]), "reason": "出差"})

    assert caller("officer_two").get(path)["mine"] and not caller("officer").get(path)["mine"]
    assert caller("officer").act(f"{path}/release", status=403)["code"] == "forbidden"


def test_the_history_tells_everything_with_secrets_masked(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)
    town.app.jobs.run_due(town.app)

    told = caller("head").get(f"/cases/{started['case_id']}/history")
    words = [step["word"] for stage in told["timeline"] for step in stage["steps"]]
    form = next(row for row in told["submissions"] if row["form"] == "case_filing.filing_application")
    answers = caller("head").get(f"/submissions/{form['id']}")

    assert len(words) >= 3 and len(told["submissions"]) == 3 and told["clocks"][0]["due"]
    assert answers["data"]["party"]["name"] == "上海云浦麦浪食品有限公司"
    assert "*" in answers["data"]["party"]["identifier"] and answers["data"]["party"]["phone"] == "138****0000"
    assert told["documents"][0]["rendered"]


def test_documents_come_down_as_pdf(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)
    officer = caller("officer")
    (paper,) = officer.get(f"/cases/{started['case_id']}/history")["documents"]
    assert officer.get(f"/documents/{paper['id']}/pdf", 404)["code"] == "not_ready"
    town.app.jobs.run_due(town.app)

    read = officer.get(f"/documents/{paper['id']}")
    pdf = officer.send("GET", f"/documents/{paper['id']}/pdf")

    assert read["ready"] and read["state"] == "draft" and read["versions"][0]["rev"] == 1
    assert pdf.data.startswith(b"%PDF") and pdf.mimetype == "application/pdf"
    assert officer.send("GET", f"/documents/{paper['id']}/pdf?rev=1").data == pdf.data
    assert officer.get(f"/documents/{paper['id']}/pdf", 404, rev=9)["code"] == "not_found"


def test_the_whole_file_is_made_by_the_worker(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    path = f"/cases/{started['case_id']}/file.pdf"
    assert caller("officer").get(path, 202)["status"] == "making"
    town.app.jobs.run_due(town.app)

    assert caller("officer").send("GET", path).data.startswith(b"%PDF")


def test_files_go_up_down_and_away(caller: Callers, started: dict[str, Any]) -> None:
    officer, picture = caller("officer"), photo()
    task = one_task(officer)

    sent = officer.send("POST", "/attachments", data={"file": (io.BytesIO(picture), "货架.jpg"), "task_id": task["id"], "field": "inspection_photos"})
    assert sent.status_code == 201, sent.text
    id = sent.get_json()["id"]
    down = officer.send("GET", f"/attachments/{id}/content")
    assert (down.data, officer.get(f"/attachments/{id}")["content_type"]) == (picture, "image/jpeg")
    spare = officer.send("POST", "/attachments", data={"file": (io.BytesIO(picture), "多余.jpg")}).get_json()["id"]
    assert officer.send("DELETE", f"/attachments/{spare}").status_code == 204

    done = {"outcome": "file", "data": {**HANDLING, "inspection_photos": [{"id": id, "caption": "货架"}]}}
    officer.act(f"/tasks/{task['id']}/complete", done)

    assert officer.send("DELETE", f"/attachments/{id}").status_code == 409
    assert caller("head").get(f"/cases/{started['case_id']}/history")["attachments"][0]["file_name"] == "货架.jpg"
    assert caller("head").send("DELETE", f"/attachments/{id}").status_code == 403


def photo() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (64, 48), "#446688").save(kept, "JPEG")
    return kept.getvalue()


def test_a_program_is_refused_as_a_file(caller: Callers) -> None:
    refused = caller("officer").send("POST", "/attachments", data={"file": (io.BytesIO(b"MZ" + b"\0" * 200), "a.jpg")})
    assert refused.status_code == 422 and refused.get_json()["code"].startswith("file_")
    assert caller("officer").send("POST", "/attachments", data={"field": "x"}, content_type="multipart/form-data").status_code == 422


def test_matters_on_a_case(caller: Callers, started: dict[str, Any]) -> None:
    path = f"/cases/{started['case_id']}/matters"
    offered = {one["process"] for one in caller("officer").get(path)["items"]}
    assert "case_filing.clue_extension" in offered

    begun = caller("officer").act(path, {"process": "case_filing.clue_extension"}, status=201)

    assert begun["case_id"] == started["case_id"]
    assert "case_filing.clue_extension" not in {one["process"] for one in caller("officer").get(path)["items"]}
    assert caller("officer").act(path, {"process": "case_filing.clue_extension"}, status=409)["code"] == "conflict"


def clue(number: str) -> dict[str, Any]:
    from datetime import date

    from integrations.clue_source.messages import ClueNotice

    return ClueNotice(source="complaint", external_id=number, unit_code="station_one", received_on=date(2026, 11, 19), title="反映一家面包店销售超过保质期的蛋糕",
                      content="反映人称购得的蛋糕已过保质期。", party_name="麦浪面包房", reporter_phone="13800000000").write()


@pytest.mark.requirement("PEN-1295")
def test_a_pushed_clue_opens_one_case_for_the_unit_it_names(caller: Callers, town: Town) -> None:
    give_right(town, "keeper", "messages")
    system = caller("keeper")
    told = {one["name"]: one for one in system.get("/messages")["items"]}["clue_received"]
    assert told["starts_case"] and set(told["form"]["schema"]["required"]) == {"source", "external_id", "unit_code", "received_on", "title", "content"}

    first = system.act("/messages/clue_received", clue("TS9"), key="clue:complaint:TS9", status=202)
    again = system.act("/messages/clue_received", clue("TS9"), key="clue:complaint:TS9", status=202)
    other = system.act("/messages/clue_received", clue("TS8"), key="clue:complaint:TS9", status=409)

    assert first == again and first["status"] == "delivered" and other["code"] == "key_reused"
    assert caller("officer").get(f"/cases/{first['case_id']}")["title"] == "反映一家面包店销售超过保质期的蛋糕"
    wrong = system.act("/messages/clue_received", {**clue("TS7"), "unit_code": "nowhere"}, status=422)
    assert set(wrong["fields"]) == {"unit_code"}


def test_messages_need_the_right_and_a_known_name(caller: Callers, town: Town) -> None:
    assert caller("officer").act("/messages/clue_received", clue("TS6"), status=403)["code"] == "forbidden"
    assert caller("officer").get("/messages", 403)
    give_right(town, "officer", "messages")
    assert caller("officer").act("/messages/nobody_listens", {}, status=404)["code"] == "not_found"


def test_lists_of_cases_are_filtered_searched_and_seen_by_right(caller: Callers, started: dict[str, Any]) -> None:
    officer = caller("officer")

    assert [one["id"] for one in officer.get("/cases")["items"]] == [started["case_id"]]
    assert officer.get("/cases", state="closed")["items"] == [] and officer.get("/cases", kind="case_filing.case")["items"] == []
    assert [one["id"] for one in officer.get("/search", q="保质期")["items"]] == [started["case_id"]]
    assert caller("other_officer").get("/cases")["items"] == [] and caller("other_officer").get("/search", q="保质期")["items"] == []


def test_what_i_started_and_did(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)

    assert len(caller("officer").get("/me/acts", which="started")["items"]) == 1
    assert len(caller("officer").get("/me/acts")["items"]) == 2


def test_events_follow_each_other_without_gap(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)

    seen = all_events(caller("officer"), at_least=3)

    assert [one["kind"] for one in seen][-2:] == ["act.complete", "act.complete"] and len({one["id"] for one in seen}) == len(seen)
    assert caller("other_officer").get("/events")["items"] == []
    assert {one["kind"] for one in caller("officer").get("/events", kind="act.start")["items"]} <= {"act.start"}


def all_events(caller: Caller, *, at_least: int) -> list[Any]:
    """Everything in pages of one, once the newest are old enough to be given out."""
    deadline = time.monotonic() + 5
    while len(caller.get("/events")["items"]) < at_least and time.monotonic() < deadline:
        time.sleep(0.05)
    seen: list[Any] = []
    cursor: dict[str, Any] = {}
    while page := caller.get("/events", limit=1, **cursor):
        if not page["items"]:
            return seen
        seen += page["items"]
        cursor = {"cursor": page["next"]}
    return seen


def test_notices_are_listed_and_marked_read(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)
    head = caller("head")
    (note,) = head.get("/notices")["items"]
    assert note["case_id"] == started["case_id"] and head.get("/notices")["unread"] == 1

    assert head.send("POST", "/notices/read", json={"ids": [note["id"]]}).get_json() == {"changed": 1}
    assert head.get("/notices", unread=True)["items"] == []


def test_processes_with_versions_and_diagram(caller: Callers) -> None:
    officer = caller("officer")
    assert "case_filing.clue_intake" in [one["name"] for one in officer.get("/processes")["items"]]
    assert officer.get("/processes/case_filing.clue_intake")["versions"][0]["version"] == 1
    assert b"<bpmn:process" in officer.send("GET", "/processes/case_filing.clue_intake/versions/1/diagram").data
    for name in ("nothing.there", "case_filing", "../etc"):
        assert officer.send("GET", f"/processes/{name}").status_code == 404


def test_lookups(caller: Callers, town: Town) -> None:
    officer = caller("officer")
    assert {"code": "supervision", "title": "监督检查", "parent": None} in officer.get("/dictionaries/case_filing.source")["items"]
    assert officer.get("/people", q="周启衡")["items"][0]["person_id"] == str(town.people["head"])
    assert len(officer.get("/units")["items"]) == len(town.units)
    assert officer.get("/dictionaries/nothing.there", 404)["code"] == "not_found"
