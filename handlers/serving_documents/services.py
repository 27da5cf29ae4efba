"""The register of services and of confirmed addresses."""
from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from engine.sdk import Invalid, TaskContext, service_task

RECORD, ADDRESS = "service_record", "service_address"
ONLINE, OFFLINE, CONFIRMED = "serving_documents.party_receipt", "serving_documents.service_record", "serving_documents.address_confirmation"


@service_task(title="登记送达", mode="inline", reversible=False, help="在送达台账里开一条，取出当事人最近的送达地址确认书：以前的案件确认过的，本案沿用。")
def open_service(context: TaskContext, *, document_id: str, paper: str, party_name: str, party_id: str = "") -> dict[str, Any]:
    """``record_id``, ``label`` of this service's clocks, and what the party confirmed last on any case: ``electronic_consent``, ``confirmed_address``."""
    record = context.write_record(RECORD, {
        "paper": paper, "document_id": document_id, "party": party_name, "party_id": party_id or None, "state": "preparing", "case_title": context.case["title"],
        "case_number": context.case["number"],
    })
    confirmed = (context.latest_record(ADDRESS, party_id=party_id) if party_id else None) or {}
    return {
        "record_id": str(record), "label": f"{paper} {party_name}"[:120], "electronic_consent": bool(confirmed.get("electronic")),
        "confirmed_address": confirmed.get("address"),
    }


@service_task(title="送达台账记下状态", mode="inline", reversible=False)
def note_state(context: TaskContext, *, record_id: str, state: str) -> None:
    """The service stands at ``state``."""
    context.write_record(RECORD, {"state": state}, record_id=UUID(record_id))


@service_task(title="记下线上签收", mode="inline", reversible=False, help="签收时才同意电子送达的，同时记入送达地址台账。")
def note_online_receipt(context: TaskContext, *, party_id: str, party_name: str) -> dict[str, Any]:
    """What the party has just signed: ``mode`` electronic, ``detail`` online, ``signed_on``."""
    given = context.work.fresh_answers.get(ONLINE) or {}
    if given.get("consent"):
        context.write_record(ADDRESS, {
            "party": party_name, "party_id": party_id, "address": given.get("address"), "receiver": party_name, "phone": given.get("phone"),
            "electronic": True, "means": "platform", "confirmed_on": context.today.isoformat(), "how": "当事人端",
        })
    return {"mode": "electronic", "detail": "online", "signed_on": context.today.isoformat()}


@service_task(title="记入送达台账", mode="inline", reversible=False, help="送达日期早于文书的签发日期，或者还没有到的，不登记。")
def record_service(
    context: TaskContext, *, record_id: str, mode: str, served_on: str = "", basis: str = "", issued_on: str = "",
) -> None:
    """Set the date of service on the record; raises Invalid for a date that can't be."""
    if not served_on:
        raise Invalid("算不出送达日期：这种送达方式要用的日期没有填。请补填后再提交。")
    check_day(date.fromisoformat(served_on), issued=date.fromisoformat(issued_on) if issued_on else None, today=context.today)
    given = context.work.fresh_answers.get(OFFLINE) or {}
    context.write_record(RECORD, {
        "state": "served", "mode": mode, "served_on": served_on, "basis": basis, "situation": given.get("situation"),
        "receiver": given.get("receiver") or given.get("entrusted_receiver"), "tracking_number": given.get("tracking_number"),
    }, record_id=UUID(record_id))


def check_day(served: date, *, issued: date | None, today: date) -> None:
    """Refuse a date of service before the document's, or one that is still to come."""
    if issued is not None and served < issued:
        raise Invalid(f"送达日期 {served} 早于文书的签发日期 {issued}：文书作出以前不可能送达，请核对。")
    if served > today:
        raise Invalid(f"送达日期 {served} 还没有到：送达以实际发生的日期为准，不能预先登记。")


@service_task(title="记入送达地址台账", mode="inline", reversible=False, help="送达地址确认书；以后的送达都按最近的一份。")
def record_address(context: TaskContext, *, party_id: str, party_name: str) -> None:
    """A new record from the 送达地址确认书 that the officer has just entered."""
    given = context.work.fresh_answers.get(CONFIRMED) or context.answers(form=CONFIRMED)
    context.write_record(ADDRESS, {
        "party": party_name, "party_id": party_id, "how": "送达地址确认书",
        **{name: given.get(name) for name in ("address", "receiver", "phone", "electronic", "means", "account_number", "confirmed_on")},
    })


@service_task(title="取出送达日期", mode="inline", pure=True, help="送达以后才能往下办：送达日期是下一项期限的起算日。")
def find_service(context: TaskContext, *, document_id: str, party_id: str) -> dict[str, Any]:
    """``served_on`` of the document on the party, as the register of services says; raises Invalid when it is not served yet."""
    found = [row for row in context.records(f"serving_documents.{RECORD}", document_id=document_id, party_id=party_id) if row["served_on"]]
    if not found:
        raise Invalid("这份决定书还没有送达这个当事人，不能往下办。请先送达。", fields={"document": "还没有送达。"})
    return {"served_on": found[-1]["served_on"].isoformat()}
