from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import LargeBinary, text

from engine.access import integrity, party_accounts
from engine.access.parties import PartyInput, find_parties, find_party_by_identifier, get_party, save_party
from engine.access.passwords import hash_password
from engine.kernel.errors import Conflict, Forbidden, NotFound
from engine.kernel.sealed_config import MARK
from engine.registers.catalogue import registers_of
from engine.runtime.case_bundle.collect import Collector
from engine.runtime.key_rounds import rounds
from engine.runtime.key_rounds.rounds import run_round, start_round, stop_round
from engine.runtime.key_rounds.stores import stores
from engine.storage.tables import metadata
from engine.storage.tables.packed import PackedJson
from tests.engine.runtime.walk import HANDLING, do, start_clue
from tests.town import Town

PERSON = {"phone": "13800000000", "address": "云浦区汀兰路 45 号", "kind": "person", "name": "姜小满", "identifier_kind": "id_card", "identifier": "310101199003074618", "sex": "female", "birth_date": "1990-03-07"}


def keeper(town: Town) -> Any:
    return replace(town.actor("keeper"), rights=frozenset({"security"}))


def left(town: Town, kind: str = "data") -> int:
    with town.app.db.connect() as connection:
        return sum(store.left(connection, town.app.keys.data_key.version) for store in stores(town.app, kind))


def commitments(town: Town, case_id: Any) -> dict[str, bytes]:
    with town.app.db.connect() as connection:
        return {name: data for name, data in Collector(town.app, connection, case_id, revealed=True).members() if name in ("submissions.json", "openings.json")}


@pytest.mark.requirement("NFR-067")
def test_everything_sealed_moves_to_a_new_key_while_officers_work_and_the_trail_still_fits(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "BATCH", 2)
    app, at = town.app, town.app.clock.now()
    started = start_clue(town)
    do(town, "officer", "verify", "file", data={**HANDLING, "party": PERSON})
    before = commitments(town, started.case_id)
    assert b"310101199003074618" in before["openings.json"]
    with pytest.raises(Forbidden):
        start_round(app, actor=town.actor("officer"), kind="data", renew=True, at=at)
    first = start_round(app, actor=keeper(town), kind="data", renew=True, at=at)
    assert app.keys.data_key.version == 2 and left(town) > 10
    with pytest.raises(Conflict):
        start_round(app, actor=keeper(town), kind="data", renew=True, at=at)
    stop_round(app, actor=keeper(town), round_id=first, at=at)
    app.jobs.run_due(app)
    assert left(town) > 10
    with pytest.raises(NotFound):
        stop_round(app, actor=keeper(town), round_id=first, at=at)
    start_round(app, actor=keeper(town), kind="data", renew=False, at=at)
    with app.db.connect() as connection:
        assert connection.scalar(text("SELECT total FROM key_round WHERE state = 'running'")) > 10
    app.jobs.run_due(app)
    with app.db.connect() as connection:
        row = connection.execute(text("SELECT * FROM key_round WHERE state = 'done'")).one()
    assert left(town) == 0 and row.done == row.total and app.keys.data_key.version == 2
    assert commitments(town, started.case_id) == before


def test_a_round_that_died_goes_on_where_it_stopped(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "BATCH", 1)
    app, at = town.app, town.app.clock.now()
    id = start_round(app, actor=keeper(town), kind="data", renew=True, at=at)
    real, counted = rounds._step, [0]

    def dies(*given: Any) -> bool:
        counted[0] += 1
        if counted[0] == 4:
            raise RuntimeError("killed")
        return real(*given)

    monkeypatch.setattr(rounds, "_step", dies)
    with pytest.raises(RuntimeError):
        run_round(app, round_id=str(id))
    with app.db.connect() as connection:
        half = connection.execute(text("SELECT done, place FROM key_round")).one()
    run_round(app, round_id=str(id))
    with app.db.connect() as connection:
        assert connection.execute(text("SELECT state, done > :done AS more FROM key_round"), {"done": half.done}).one() == ("done", True)
    assert left(town) == 0


def test_numbers_stay_found_and_unique_while_the_index_key_changes(town: Town) -> None:
    app, at = town.app, town.app.clock.now()
    given = PartyInput(kind="person", name="姜小满", identifier_kind="id_card", identifier="310101199003074618", phone="13812345678")
    other = replace(given, name="闻人雪", identifier="310101198001011234", phone="13912345678")
    with app.db.begin() as connection:
        id, second = save_party(connection, app.keys, given=given, at=at), save_party(connection, app.keys, given=other, at=at)
    start_round(app, actor=keeper(town), kind="index", renew=True, at=at)
    with app.db.begin() as connection:
        found = find_party_by_identifier(connection, app.keys, kind="id_card", identifier="310101199003074618")
        assert found is not None and found.id == id
        assert [one.id for one in find_parties(connection, app.keys, text="13812345678")] == [id]
        assert save_party(connection, app.keys, given=replace(given, phone="13700000000"), at=at) == id
    app.jobs.run_due(app)
    assert app.keys.versions()["index"] == [2]
    with app.db.begin() as connection:
        assert get_party(connection, app.keys, party_id=second, reveal=True).identifier == "310101198001011234"
        assert save_party(connection, app.keys, given=other, at=at) == second
        assert [one.id for one in find_parties(connection, app.keys, text="13700000000")] == [id]


NOT_SEALED = {
    "api_token.token_hash", "audit.hash", "audit_anchor.before", "audit_anchor.certificate", "audit_anchor.hash", "audit_anchor.signature", "audit_head.hash",
    "access_seal.mac", "access_total.mac", "act.snapshot", "act.moves", "act.trail", "case_grant.mac", "definition.compiled", "definition.content", "instance.state", "party.identifier_index",
    "party.phone_index", "party_account.identifier_index", "party_code.code_index", "party_session.token_hash", "recovery_code.code_hash", "seal.certificate",
    "session.token_hash", "sign_in_certificate.der", "sign_in_certificate.print", "sign_in_count.subject", "sign_in_step.token_hash", "sign_in_stranger.login_hash",
}
"""Binary columns that hold hashes, seals, certificates, states and files: nothing of them is a text under a data key. What is added here was looked at."""


def test_no_column_that_may_hold_a_sealed_text_is_forgotten_when_keys_change(town: Town) -> None:
    app = town.app
    start_clue(town)
    do(town, "officer", "verify", "file", data={**HANDLING, "party": PERSON})
    moved = {f"{store.table}.{name}" for store in stores(app, "data") for name in store.columns}
    binary = {f"{table.name}.{column.name}" for table in metadata.tables.values() if table.schema is None for column in table.columns if isinstance(column.type, LargeBinary | PackedJson)}
    assert binary - moved - NOT_SEALED == set()
    commented = {f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns if "SM4-GCM" in (column.comment or "")}
    assert commented - moved == set()
    for register, table in registers_of(app.library).values():
        secret = {f'reg."{table.name}".{name}' for name, field in register.fields.items() if field.encrypt}
        held = {f'reg."{table.name}".{column.name}' for column in table.columns if isinstance(column.type, LargeBinary)}
        assert held == secret and secret <= moved, register.name
    with app.db.connect() as connection:
        named = connection.execute(text(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type IN ('jsonb', 'json', 'text') AND table_name NOT LIKE 'procrastinate%'"
        )).all()
        for table, column in named:
            marked = connection.scalar(text(f"""SELECT count(*) FROM "{table}" WHERE "{column}"::text ~ '"(\\$sealed|sealed)": *"[0-9a-f]{{30,}}'"""))
            assert not marked or f"{table}.{column}" in moved, (table, column)


def test_accounts_of_parties_sign_in_throughout_a_change_of_both_keys(town: Town) -> None:
    app, at = town.app, town.app.clock.now()
    new = party_accounts.NewAccount(name="姜小满", identifier_kind="id_card", identifier=PERSON["identifier"], phone=PERSON["phone"], password_hash=hash_password("Yi-Er-San-2026"))
    with app.db.begin() as connection:
        id = party_accounts.sign_up(connection, app.keys, new=new, checked_by="试", check_number="1", at=at)

    def signs_in() -> bool:
        with app.db.begin() as connection:
            tried = party_accounts.look_up(connection, app.keys, identifier=PERSON["identifier"])
            return party_accounts.settle(connection, tried=tried, right=party_accounts.proves(tried, "Yi-Er-San-2026"), at=at) == (id, "")

    (app.settings.data_dir / "sign_in.json").write_text('{"ldap": {"url": "ldap://x", "base": "dc=x", "bind_password": "x"}}')
    for kind in ("index", "data", "index"):
        start_round(app, actor=keeper(town), kind=kind, renew=True, at=at)
        assert signs_in()
        app.jobs.run_due(app)
        assert signs_in() and left(town) == 0
    with app.db.connect() as connection:
        assert party_accounts.own_number(connection, app.keys, account_id=id) == ("id_card", PERSON["identifier"])
        assert integrity.check(connection, app.keys) == []
        sealed = connection.execute(text("SELECT get_byte(identifier, 0), get_byte(phone, 0) FROM party_account")).one()
    assert MARK + "02" in (app.settings.data_dir / "sign_in.json").read_text()
    assert sealed == (2, 2) and app.keys.versions() == {"data": [1, 2], "index": [3]}
