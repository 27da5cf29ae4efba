"""Registers become real typed tables in schema ``reg``: created and widened, never narrowed."""
from __future__ import annotations

from typing import Any

from sqlalchemy import Column as SqlColumn
from sqlalchemy import ColumnElement, Connection, MetaData, Table, literal_column, text
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine

from engine.kernel.errors import DeployRefused
from engine.kernel.gm import sm3_hex
from engine.kernel.names import name_of, pack_of
from engine.registers.declaration import PLACED, Field, Register
from engine.storage.geometry import Box, Point

SQLA: dict[str, TypeEngine] = {
    "text": pg.TEXT(), "numeric": pg.NUMERIC(), "numeric(18,2)": pg.NUMERIC(18, 2), "date": pg.DATE(), "timestamptz": pg.TIMESTAMP(timezone=True),
    "boolean": pg.BOOLEAN(), "jsonb": pg.JSONB(), "point": Point(), "uuid": pg.UUID(as_uuid=True), "bytea": pg.BYTEA(),
}
BASE = {
    "id": "uuid", "case_id": "uuid", "unit_id": "uuid", "district_id": "uuid", "created_at": "timestamptz", "updated_at": "timestamptz",
    "deleted_at": "timestamptz", "deleted_reason": "text",
}
LEAST = {
    "number": "'-Infinity'::numeric", "money": "'-Infinity'::numeric", "date": "'-infinity'::date", "datetime": "'-infinity'::timestamptz", "boolean": "false",
}
ORDERED_LENGTH, COUNTED = 100, 10_000
CATALOG_TYPE = {"timestamptz": "timestamp with time zone", "numeric(18,2)": "numeric"}


def table_of(register: Register) -> Table:
    """The SQLAlchemy table of a register, for statements."""
    columns = {**BASE, **{f.name: f.sql_type for f in register.fields.values()}}
    return Table(register.table, MetaData(), *(SqlColumn(name, SQLA[kind], primary_key=name == "id") for name, kind in columns.items()), schema="reg")


def build_table(connection: Connection, register: Register) -> list[str]:
    """Create the table or add what is missing; the statements that ran.

    Raises DeployRefused when a column would change its type: data would be lost. Runs under an advisory lock and a
    lock time-out of five seconds, so that it never queues in front of officers.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('guicheng.registers'))"))
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    present = _columns(connection, register)
    statements = (_create(register) if not present else _widen(register, present)) + _derive(register, present) + _indexes(connection, register) + _keys(connection, register)
    for statement in statements:
        connection.execute(text(statement))
    return statements


def require_nothing_dropped(connection: Connection, *, before: Register, after: Register) -> None:
    """Raise DeployRefused when ``after`` leaves out a field of ``before`` that some record holds something in: nobody would see it again."""
    present, gone = _columns(connection, before), [field for field in before.fields.values() if field.name not in after.fields]
    findings = []
    for field in gone:
        if field.name in present:
            many = connection.scalar(text(f'SELECT count(*) FROM (SELECT 1 FROM reg.{before.table} WHERE deleted_at IS NULL AND "{field.name}" IS NOT NULL LIMIT {COUNTED + 1}) AS held'))  # noqa: S608 (names of a declaration)
            told = f"{COUNTED} 条以上" if many and many > COUNTED else f"{many} 条"
            if many:
                findings.append({"element": field.name, "rule": "register_field", "message": f"“{field.title}”有 {told}记录填了内容，不能去掉；请保留这一栏，或者先把内容移到别的栏目、清空以后再去掉。"})
    if findings:
        raise DeployRefused(f"台账“{after.title}”去掉了还在用的栏目，没有发布，记录没有变。", findings=findings)


def _columns(connection: Connection, register: Register) -> dict[str, str]:
    rows = connection.execute(
        text("SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'reg' AND table_name = :table"), {"table": register.table}
    )
    return {row.column_name: row.data_type for row in rows}


def _create(register: Register) -> list[str]:
    columns = [
        "id uuid PRIMARY KEY", "case_id uuid REFERENCES case_file (id)", "unit_id uuid", "district_id uuid", "created_at timestamptz NOT NULL",
        "updated_at timestamptz NOT NULL", "deleted_at timestamptz", "deleted_reason text",
        *(f'"{f.name}" {f.sql_type}' for f in register.fields.values()),
    ]
    name = register.table
    indexes = [
        *(f"CREATE INDEX ON reg.{name} ({place}, updated_at DESC, id DESC) WHERE deleted_at IS NULL" for place in ("unit_id", "district_id")),
        f"CREATE INDEX ON reg.{name} (updated_at DESC, id DESC) WHERE deleted_at IS NULL",
    ]
    if register.case != "none":
        indexes.append(f"CREATE {'UNIQUE ' if register.case == 'own' else ''}INDEX ON reg.{name} (case_id)")
    return [f"CREATE TABLE reg.{name} ({', '.join(columns)})", *indexes]


def _derive(register: Register, present: dict[str, str]) -> list[str]:
    """Columns that PostgreSQL itself keeps: a point in metres, the box around an outline in degrees."""
    made = {
        "point": ("m", 'point GENERATED ALWAYS AS (public.gc_metres("{name}")) STORED'),
        "outline": ("box", "box GENERATED ALWAYS AS (box(point((\"{name}\"->'bbox'->>0)::float8, (\"{name}\"->'bbox'->>1)::float8),"
                    " point((\"{name}\"->'bbox'->>2)::float8, (\"{name}\"->'bbox'->>3)::float8))) STORED"),
    }
    wanted = [(f"{one.name}${made[one.type][0]}", made[one.type][1].format(name=one.name)) for one in register.placed]
    return [f'ALTER TABLE reg.{register.table} ADD COLUMN "{column}" {body}' for column, body in wanted if column not in present]


def metres_of(field: Field, table: Table) -> ColumnElement[Any]:
    """A point field in metres of EPSG:4549, as its index holds it."""
    return literal_column(f'{table.schema}.{table.name}."{field.name}$m"', Point())


def box_of(field: Field, table: Table) -> ColumnElement[Any]:
    """The box around an outline in degrees, as its index holds it."""
    return literal_column(f'{table.schema}.{table.name}."{field.name}$box"', Box())


def _indexes(connection: Connection, register: Register) -> list[str]:
    """What lists need and the table hasn't yet: one per column they are ordered by, one per text they search, one per list of codes."""
    known = set(connection.execute(text("SELECT indexname FROM pg_indexes WHERE schemaname = 'reg' AND tablename = :table"), {"table": register.table}).scalars())
    wanted: dict[str, str] = {}
    for field in register.fields.values():
        if field.sorted:
            wanted[_index_name(register, field, "o")] = f"(({order_text(field)}), id) WHERE deleted_at IS NULL"
        if field.found:
            wanted[_index_name(register, field, "t")] = f'USING gin ("{field.name}" gin_trgm_ops)'
        if field.type in PLACED:
            wanted[_index_name(register, field, "g")] = f'USING gist ("{field.name}${"m" if field.type == "point" else "box"}")'
        if field.type == "record":
            wanted[_index_name(register, field, "r")] = f'("{field.name}") WHERE "{field.name}" IS NOT NULL'
        if (field.list and field.type == "choices" and not field.secret) or field.type == "tags":
            wanted[_index_name(register, field, "c")] = f'USING gin ("{field.name}")'
    if searched(register):
        held = words_text(register)
        wanted[f"ix_w_{sm3_hex(f'{register.table} {held}'.encode())[:24]}"] = f"USING gin (public.gc_words({held}))"
    return [f"CREATE INDEX {name} ON reg.{register.table} {body}" for name, body in wanted.items() if name not in known]


def searched(register: Register) -> list[Field]:
    """The fields that the search box looks through."""
    return [f for f in register.fields.values() if f.search and not f.secret and f.type in ("text", "serial")]


def words_text(register: Register, *, prefix: str = "") -> str:
    """What the search box looks through, as the index of short words holds it."""
    return " || ' ' || ".join(f"coalesce({prefix}\"{f.name}\", '')" for f in searched(register))


def _keys(connection: Connection, register: Register) -> list[str]:
    """A foreign key for every field that points at a register whose table is there by now."""
    known = set(connection.execute(text("SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:table)"), {"table": f"reg.{register.table}"}).scalars())
    found = []
    for field in register.fields.values():
        name = _index_name(register, field, "f")
        if field.type != "record" or name in known:
            continue
        target = f"{pack_of(str(field.register))}__{name_of(str(field.register))}"
        if target == register.table or connection.scalar(text("SELECT to_regclass(:table)"), {"table": f"reg.{target}"}) is not None:
            found.append(f'ALTER TABLE reg.{register.table} ADD CONSTRAINT {name} FOREIGN KEY ("{field.name}") REFERENCES reg.{target} (id)')
    return found


def _index_name(register: Register, field: Field, kind: str) -> str:
    """Short enough for PostgreSQL and the same every time."""
    return f"ix_{kind}_{sm3_hex(f'{register.table}.{field.name}'.encode())[:24]}"


def order_text(field: Field, *, prefix: str = "") -> str:
    """The expression that a list is ordered by and that its index holds: what is empty comes before everything else."""
    if field.sql_type == "text":
        return f"left(coalesce({prefix}\"{field.name}\", ''), {ORDERED_LENGTH})"
    return f'coalesce({prefix}"{field.name}", {LEAST[field.type]})'


def _widen(register: Register, present: dict[str, str]) -> list[str]:
    statements, findings = [], []
    for field in register.fields.values():
        wanted = CATALOG_TYPE.get(field.sql_type, field.sql_type)
        if field.name not in present:
            statements.append(f'ALTER TABLE reg.{register.table} ADD COLUMN "{field.name}" {field.sql_type}')
        elif present[field.name] != wanted:
            findings.append({"element": field.name, "rule": "register_type", "message": f"“{field.title}”已是 {present[field.name]}，不能改成 {wanted}；请另加一个字段。"})
    if findings:
        raise DeployRefused(f"台账“{register.title}”的改动会丢失数据。", findings=findings)
    return statements
