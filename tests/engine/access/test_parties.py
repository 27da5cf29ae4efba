from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from engine.access.parties import (
    PartyInput,
    attach_party,
    find_parties,
    find_party_by_identifier,
    get_party,
    parties_of,
    reveal_snapshot,
    save_party,
)
from engine.kernel.errors import Invalid
from engine.kernel.gm import KeyRing
from engine.storage.tables.cases import case_party, party
from tests.engine.access.organisation_factory import AT, small_city

PERSON = PartyInput(
    kind="person",
    name="苏一帆",
    identifier_kind="id_card",
    identifier="310106 1990 0307 001x",
    phone="+86 138-0000-5678",
    address="示例路1号",
)


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path)


def test_numbers_are_sealed_masked_and_found_by_index(connection: Connection, keys: KeyRing) -> None:
    id = save_party(connection, keys, given=PERSON, at=AT)
    row = connection.execute(select(party).where(party.c.id == id)).one()
    assert b"0307001X" not in row.identifier and b"5678" not in row.phone
    view = get_party(connection, keys, party_id=id)
    assert (view.identifier, view.phone) == ("310106********001X", "138****5678")
    assert get_party(connection, keys, party_id=id, reveal=True).identifier == "31010619900307001X"
    found = find_party_by_identifier(connection, keys, kind="id_card", identifier="31010619900307001x", reveal=True)
    assert found is not None and found.phone == "13800005678"
    assert find_party_by_identifier(connection, keys, kind="passport", identifier="31010619900307001X") is None


def test_a_known_number_updates_its_party_and_keeps_what_is_not_given(connection: Connection, keys: KeyRing) -> None:
    id = save_party(connection, keys, given=PERSON, at=AT)
    again = PartyInput(kind="person", name="苏一帆", identifier_kind="id_card", identifier="31010619900307001X", address="示例路2号")
    assert save_party(connection, keys, given=again, at=AT) == id
    view = get_party(connection, keys, party_id=id, reveal=True)
    assert (view.address, view.phone) == ("示例路2号", "13800005678")
    unnamed = PartyInput(kind="person", name="身份不明")
    assert save_party(connection, keys, given=unnamed, at=AT) != save_party(connection, keys, given=unnamed, at=AT)
    with pytest.raises(Invalid):
        save_party(connection, keys, given=PartyInput(kind="person", name=" "), at=AT)


def test_parties_are_found_by_name_number_or_telephone(connection: Connection, keys: KeyRing) -> None:
    id = save_party(connection, keys, given=PERSON, at=AT)
    for text in ("一帆", "310106 19900307 001X", "13800005678"):
        assert [view.id for view in find_parties(connection, keys, text=text)] == [id]
    assert find_parties(connection, keys, text="苏") == [] == find_parties(connection, keys, text="100%帆")


def test_a_case_keeps_who_the_party_was_with_the_number_sealed(connection: Connection, keys: KeyRing) -> None:
    case_id = small_city(connection).case("TA_s1")
    id = save_party(connection, keys, given=PERSON, at=AT)
    attach_party(connection, keys, case_id=case_id, party_id=id, given=PERSON, at=AT)
    snapshot = connection.execute(select(case_party.c.snapshot)).scalar_one()
    assert "31010619900307001X" not in str(snapshot)
    assert reveal_snapshot(keys, case_id=case_id, snapshot=snapshot) == "31010619900307001X"
    assert [row.party_id for row in parties_of(connection, case_id=case_id)] == [id]
