"""One record for each of many units: what is sent out to be read, signed for or answered."""
from __future__ import annotations

from typing import Any

from engine.kernel.errors import BusinessError
from engine.runtime.handlers import service_task
from engine.runtime.standard.register_records import save_record
from engine.runtime.task_context import TaskContext

MOST_UNITS = 500


@service_task(title="给每个单位记一条", mode="inline")
def save_for_units(
    context: TaskContext, *, register: str, units: list, values: dict | None = None, form: str = "", field: str = "", reason: str = "",
) -> dict[str, Any]:
    """Make a record of ``register`` for each of ``units`` (ids, at most 500), as ``gc.save_record`` makes one; ``field`` takes the unit.

    Result: ``records``, a list of {record, unit, name}.
    """
    if len(units) > MOST_UNITS:
        raise BusinessError("too_many_units", f"一次最多 {MOST_UNITS} 个单位，现在 {len(units)} 个，请分几次。")
    made = []
    for unit in units:
        whole = {**(values or {}), field: unit} if field else values
        saved = save_record(context, register=register, values=whole, form=form, unit=unit, reason=reason)
        made.append({"record": saved["record_id"], "unit": unit, "name": context.unit(unit)["name"]})
    return {"records": made}
