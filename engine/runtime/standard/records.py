"""Registers and parameters as facts: read a case's own record, add one to a register of many, read a dated value."""
from __future__ import annotations

from typing import Any

from engine.kernel.errors import BusinessError
from engine.kernel.names import pack_of, qualify
from engine.reference import parameters
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext


@service_task(title="读台账", mode="inline", pure=True)
def read_record(context: TaskContext, *, register: str) -> dict[str, Any]:
    """The fields of this case's own record of ``register`` as results, each null where there is no record."""
    from engine.registers.catalogue import get_register

    declared, _ = get_register(context.app.library, qualify(register, pack_of(context.process)))
    if declared.case != "own":
        raise BusinessError("not_own", f"台账“{declared.title}”不是一案一条，不能这样读。")
    found = next(iter(context.records(declared.name)), {})
    return {name: _plain(found.get(name)) for name, field in declared.fields.items() if not field.encrypt}


def _plain(value: Any) -> Any:
    """As facts hold it: ids as text."""
    return str(value) if type(value).__name__ == "UUID" else value


@service_task(title="台账加一条", mode="inline")
def add_record(context: TaskContext, *, register: str, values: dict) -> dict[str, str]:
    """A new record on this case in a register that holds many per case. Result: ``record_id``."""
    return {"record_id": str(context.write_record(register, values))}


@service_task(title="读参数", mode="inline", pure=True)
def read_parameter(context: TaskContext, *, name: str) -> dict[str, Any]:
    """Result: ``value``, the number of the dated parameter ``name`` in force today for the case's unit."""
    full = qualify(name, pack_of(context.process))
    found = parameters.find_value(context.connection, name=full, on=context.today, unit_id=context.case["unit_id"])
    if found is None:
        raise BusinessError("no_parameter", f"参数 {full} 今天没有有效的值，请在期限、参数里补上。")
    return {"value": found.value if found.value is not None else found.text}
