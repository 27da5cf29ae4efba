from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from engine.access.passwords import change_password, hash_password, policy_error, reset_password, sign_in
from engine.access.sessions import (
    IDLE,
    LONGEST,
    close_other_sessions,
    close_session,
    open_session,
    resolve_session,
    sessions_of,
    sweep_sessions,
    switch_post,
    touch_session,
)
from engine.access.staffing import give_post
from engine.access.tokens import create_token, resolve_token, revoke_token, tokens_of, touch_token
from engine.kernel.errors import Invalid, NotFound
from engine.storage.tables.organisation import account, session
from tests.engine.access.organisation_factory import AT, SINCE, small_city

GOOD = "Guicheng-2026"


def test_a_password_is_checked_and_five_wrong_tries_lock_for_a_while(connection: Connection) -> None:
    li = small_city(connection).sit("li", "TA_s1", "officer", password_hash=hash_password(GOOD))
    assert sign_in(connection, login=" LI ", password=GOOD, at=AT).account_id == li.account_id
    answers = [sign_in(connection, login="li", password="wrong", at=AT) for _ in range(5)]
    assert all(a.account_id is None for a in answers)
    assert "再错 1 次" in (answers[3].refusal or "") and "锁定" in (answers[4].refusal or "")
    locked = sign_in(connection, login="li", password=GOOD, at=AT + timedelta(minutes=1))
    assert locked.account_id is None and "14 分钟" in (locked.refusal or "")
    assert sign_in(connection, login="li", password=GOOD, at=AT + timedelta(minutes=15)).account_id == li.account_id
    assert connection.scalar(select(account.c.failures).where(account.c.id == li.account_id)) == 0


def test_an_unknown_login_sounds_like_a_wrong_password(connection: Connection) -> None:
    small_city(connection).sit("li", "TA_s1", "officer", password_hash=hash_password(GOOD))
    unknown = sign_in(connection, login="nobody", password=GOOD, at=AT).refusal
    assert unknown == sign_in(connection, login="li", password="wrong", at=AT).refusal
    assert sign_in(connection, login="li", password="x" * 100_000, at=AT).account_id is None


@pytest.mark.parametrize(
    ("password", "words"),
    [("Aa1!", "长度"), ("aaabbbcccddd", "三种"), ("Xli-2026-abc", "用户名"), ("Aaaaa-202611", "四次"), (GOOD, None), ("x" * 200, "长度")],
)
def test_a_password_follows_the_rules(password: str, words: str | None) -> None:
    error = policy_error(password, login="xli", name="李一")
    assert error is None if words is None else words in (error or "")


def test_a_holder_changes_the_password_and_an_administrator_resets_it(connection: Connection) -> None:
    li = small_city(connection).sit("li", "TA_s1", "officer", password_hash=hash_password(GOOD))
    with pytest.raises(Invalid) as wrong:
        change_password(connection, account_id=li.account_id, old="no", new="Other-Word-99", at=AT)
    assert list(wrong.value.fields) == ["old"]
    with pytest.raises(Invalid) as weak:
        change_password(connection, account_id=li.account_id, old=GOOD, new="short", at=AT)
    assert list(weak.value.fields) == ["new"]
    change_password(connection, account_id=li.account_id, old=GOOD, new="Other-Word-99", at=AT)
    assert sign_in(connection, login="li", password="Other-Word-99", at=AT).must_change is False
    reset_password(connection, account_id=li.account_id, new="First-Word-77", at=AT)
    assert sign_in(connection, login="li", password="First-Word-77", at=AT).must_change is True


def test_a_session_slides_while_used_and_ends_when_idle_or_too_old(connection: Connection) -> None:
    li = small_city(connection).sit("li", "TA_s1", "officer")
    opened = open_session(connection, account_id=li.account_id, post_id=None, agent="test", at=AT)
    found = resolve_session(connection, token=opened.token, at=AT)
    assert found is not None and found.actor.name == "人li" and found.csrf == opened.csrf and not found.stale
    assert connection.scalar(select(session.c.token_hash)) != opened.token.encode()
    later = AT + timedelta(minutes=90)
    found = resolve_session(connection, token=opened.token, at=later)
    assert found is not None and found.stale
    touch_session(connection, token_hash=found.token_hash, at=later)
    assert resolve_session(connection, token=opened.token, at=later + IDLE - timedelta(seconds=1)) is not None
    assert resolve_session(connection, token=opened.token, at=later + IDLE) is None
    touch_session(connection, token_hash=found.token_hash, at=AT + LONGEST - timedelta(minutes=1))
    assert resolve_session(connection, token=opened.token, at=AT + LONGEST) is None
    assert resolve_session(connection, token="forged", at=AT) is None


def test_sessions_are_listed_ended_and_swept(connection: Connection) -> None:
    city = small_city(connection)
    li = city.sit("li", "TA_s1", "officer")
    one, two, three = (open_session(connection, account_id=li.account_id, post_id=None, agent=f"{i}", at=AT) for i in range(3))
    assert {row.agent for row in sessions_of(connection, account_id=li.account_id, at=AT)} == {"0", "1", "2"}
    close_session(connection, token=one.token)
    assert resolve_session(connection, token=one.token, at=AT) is None
    keep = resolve_session(connection, token=two.token, at=AT)
    assert keep is not None
    assert close_other_sessions(connection, account_id=li.account_id, keep=keep.token_hash) == 1
    assert resolve_session(connection, token=three.token, at=AT) is None
    assert sweep_sessions(connection, at=AT + IDLE) == 1


def test_a_person_switches_between_their_own_posts_only(connection: Connection) -> None:
    city = small_city(connection)
    li, wang = city.sit("li", "TA_s1", "officer"), city.sit("wang", "TA_s2", "officer")
    second = give_post(connection, person_id=li.person_id, unit_id=city.units["TA_s2"], code="unit_head", title="所长", valid_from=SINCE)
    opened = open_session(connection, account_id=li.account_id, post_id=None, agent="", at=AT)
    found = resolve_session(connection, token=opened.token, at=AT)
    assert found is not None
    token = switch_post(connection, token_hash=found.token_hash, post_id=second, at=AT)
    assert resolve_session(connection, token=opened.token, at=AT) is None
    moved = resolve_session(connection, token=token, at=AT)
    assert moved is not None and moved.actor.post_code == "unit_head" and moved.csrf == opened.csrf
    with pytest.raises(NotFound):
        switch_post(connection, token_hash=moved.token_hash, post_id=wang.post_id, at=AT)


def test_a_token_stands_for_its_holder_until_it_ends_or_is_revoked(connection: Connection) -> None:
    city = small_city(connection)
    li, wang = city.sit("li", "TA_s1", "officer"), city.sit("wang", "TA_s2", "officer")
    id, token = create_token(connection, account_id=li.account_id, post_id=li.post_id, title="对接", days=30, at=AT)
    actor = resolve_token(connection, token=token, at=AT)
    assert actor is not None and actor.person_id == li.person_id
    touch_token(connection, token=token, at=AT)
    assert tokens_of(connection, account_id=li.account_id)[0].used_at == AT
    assert resolve_token(connection, token=token + "x", at=AT) is None
    assert resolve_token(connection, token=token, at=AT + timedelta(days=30)) is None
    with pytest.raises(NotFound):
        revoke_token(connection, account_id=wang.account_id, token_id=id, at=AT)
    revoke_token(connection, account_id=li.account_id, token_id=id, at=AT)
    assert resolve_token(connection, token=token, at=AT) is None
    with pytest.raises(Invalid):
        create_token(connection, account_id=li.account_id, post_id=li.post_id, title="", days=30, at=AT)
    with pytest.raises(Invalid):
        create_token(connection, account_id=li.account_id, post_id=li.post_id, title="长", days=3000, at=AT)
