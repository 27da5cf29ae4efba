"""What is owed: payments, additional fine, schedule of instalments. Money is Decimal in 元."""
from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any
from uuid import UUID

from engine.sdk import Invalid, TaskContext, service_task

EXECUTION, PAYMENT, SCHEDULE = "execution", "payment", "payment_schedule"
CENT, NOTHING = Decimal("0.01"), Decimal(0)


@service_task(title="记入执行台账", mode="inline", reversible=False)
def open_execution(
    context: TaskContext, *, party_id: str, party_name: str, paper: str, fine: str, served_on: str, pay_by: str, litigation_until: str,
) -> dict[str, Any]:
    """A record with nothing paid yet; ``record_id``. Raises Invalid for a fine that is no amount."""
    return {"record_id": str(context.write_record(EXECUTION, {
        "party": party_name, "party_id": party_id, "paper": paper, "fine": amount_of(fine), "served_on": served_on, "pay_by": pay_by,
        "litigation_until": litigation_until, "paid": NOTHING, "additional_paid": NOTHING, "state": "performing",
    }))}


@service_task(title="算出欠款", mode="inline", reversible=False, help="加处罚款按决策表 additional_fine 算到今天；罚款缴清的，算到缴清那天。延期、分期的，从延期的最后一天以后算。")
def sum_up(context: TaskContext, *, record_id: str) -> dict[str, Any]:
    """``pay_by``, ``paid``, ``additional``, ``overdue_days``, ``outstanding`` (amounts as text), ``settled``, ``demand_until``, ``term_end``."""
    row = record(context, record_id)
    owed = owes(context, row)
    if owed["overdue_days"] > 0 and row["state"] in ("performing", "deferred"):
        context.write_record(EXECUTION, {"state": "overdue"}, record_id=UUID(record_id))
    return {
        "pay_by": last_day(row).isoformat(), "paid": money(row["paid"]), "additional": money(owed["additional"]), "overdue_days": int(owed["overdue_days"]),
        "outstanding": money(owed["outstanding"]), "settled": owed["outstanding"] <= 0, "demand_until": iso(row["demand_until"]),
        "term_end": iso(row["deferred_until"] or row["litigation_until"]),
    }


@service_task(title="记入缴款记录", mode="inline", reversible=False, help="缴的罚款不能多于还欠的罚款，缴的加处罚款不能多于还欠的加处罚款。")
def note_payment(context: TaskContext, *, record_id: str, paid_on: str, amount: str, of_fine: str, way: str, state: str = "") -> None:
    """A payment; raises Invalid when it is more than is owed or older than the decision's service."""
    row, value, day = record(context, record_id), amount_of(amount), date.fromisoformat(paid_on)
    if row["served_on"] and day < row["served_on"]:
        raise Invalid(f"缴款日期 {day} 早于处罚决定书的送达日期 {row['served_on']}，请核对。")
    column, left = ("paid", row["fine"] - row["paid"]) if of_fine == "fine" else ("additional_paid", owes(context, row, on=day)["additional"] - row["additional_paid"])
    if value > left:
        raise Invalid(f"缴款金额 {money(value)} 元多于还欠的 {money(max(left, NOTHING))} 元，请核对；缴的是加处罚款的，请选“加处罚款”。")
    context.write_record(PAYMENT, {"party": row["party"], "paid_on": paid_on, "amount": value, "kind": "罚款" if of_fine == "fine" else "加处罚款", "way": way})
    context.write_record(EXECUTION, {column: row[column] + value, **({"state": state} if state else {})}, record_id=UUID(record_id))


@service_task(title="算出缴款计划", mode="inline", reversible=False, help="延期：到期一次缴清。分期：还欠的罚款按决策表 instalment_rule 分。")
def make_schedule(
    context: TaskContext, *, record_id: str, kind: str, until: str = "", instalments: int = 0, first_due: str = "",
) -> dict[str, Any]:
    """``schedule`` in words and ``last_due``; one record an instalment; the execution stands deferred until then."""
    row = record(context, record_id)
    left = row["fine"] - row["paid"]
    if left <= 0:
        raise Invalid("罚款已经缴清，不需要延期、分期。")
    if kind == "deferral":
        days, parts = [date.fromisoformat(until)], [left]
    else:
        rule = context.decide("instalment_rule", {"amount": str(left), "instalments": int(instalments)})
        days = months_from(date.fromisoformat(first_due), int(instalments), every=int(rule["months"]))
        parts = split(left, len(days), unit=Decimal(str(rule["unit"])), first_percent=rule["first_percent"], remainder=rule["remainder"])
    for number, (day, part) in enumerate(zip(days, parts, strict=True), start=1):
        context.write_record(SCHEDULE, {"party": row["party"], "number": number, "due_on": day, "amount": part})
    context.write_record(EXECUTION, {"deferred_until": days[-1], "state": "deferred"}, record_id=UUID(record_id))
    words = "；".join(f"第{number}期 {day.year}年{day.month}月{day.day}日前缴{part:,.2f}元" for number, (day, part) in enumerate(zip(days, parts, strict=True), start=1))
    return {"schedule": words, "last_due": days[-1].isoformat()}


def split(total: Decimal, parts: int, *, unit: Decimal = CENT, first_percent: Any = None, remainder: str = "last") -> list[Decimal]:
    """``total`` in ``parts`` of whole ``unit``: equal ones, or the first as so many per cent and the others equal; what is left over is in the first or the last.

    Raises Invalid for a rule that leaves nothing for some instalment.
    """
    if first_percent is None or parts == 1:
        found = [_whole(total / parts, unit)] * parts
    else:
        first = _whole(total * Decimal(str(first_percent)) / 100, unit)
        found = [first, *[_whole((total - first) / (parts - 1), unit)] * (parts - 1)]
    found[0 if remainder == "first" else -1] += total - sum(found)
    if min(found) <= 0:
        raise Invalid("分期金额的规则算出了没有金额的一期，请减少期数，或者请流程设计人员核对决策表 instalment_rule。")
    return found


def _whole(value: Decimal, unit: Decimal) -> Decimal:
    return (value / unit).to_integral_value(rounding=ROUND_DOWN) * unit


def months_from(first: date, count: int, *, every: int = 1) -> list[date]:
    """The same day of ``count`` months, ``every`` so many, from ``first`` on, or their last day."""
    found = []
    for step in range(0, count * every, every):
        year, month = divmod(first.year * 12 + first.month - 1 + step, 12)
        found.append(date(year, month + 1, min(first.day, monthrange(year, month + 1)[1])))
    return found


def owes(context: TaskContext, row: dict[str, Any], *, on: date | None = None) -> dict[str, Any]:
    """``additional``, ``overdue_days``, ``outstanding`` of an execution on ``on`` (today); paid in full, the fine grows no more."""
    until = on or (context.today if row["paid"] < row["fine"] else _paid_in_full(context, row))
    found = context.decide("additional_fine", {
        "fine": str(row["fine"]), "pay_by": last_day(row), "on": until, "excluded_days": 0, "rate": context.parameter("penalty_execution.additional_rate"),
        "cap": context.parameter("penalty_execution.additional_cap"),
    })
    additional = Decimal(str(found["additional"])).quantize(CENT)
    return {"additional": additional, "overdue_days": found["overdue_days"], "outstanding": row["fine"] - row["paid"] + additional - row["additional_paid"]}


def _paid_in_full(context: TaskContext, row: dict[str, Any]) -> date:
    days = [one["paid_on"] for one in context.records(PAYMENT) if one["party"] == row["party"] and one["kind"] == "罚款"]
    return max(days, default=context.today)


def last_day(row: dict[str, Any]) -> date:
    """The last day on which the fine may be paid without an addition."""
    day: date = row["deferred_until"] or row["pay_by"]
    return day


def record(context: TaskContext, record_id: str) -> dict[str, Any]:
    """The execution's record; raises Invalid."""
    found = [row for row in context.records(EXECUTION) if str(row["id"]) == record_id]
    if not found:
        raise Invalid("执行台账里没有这一条。")
    row = found[0]
    return {**row, "paid": row["paid"] or NOTHING, "additional_paid": row["additional_paid"] or NOTHING}


def amount_of(text: str) -> Decimal:
    """An amount above zero with at most two decimals; raises Invalid."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        value = NOTHING
    if not value.is_finite() or value <= 0 or value != value.quantize(CENT):
        raise Invalid(f"“{text}”不是金额，请写成 1234.50 这样的数。")
    return value.quantize(CENT)


def money(value: Decimal) -> str:
    """1234.50"""
    return f"{value.quantize(CENT)}"


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
