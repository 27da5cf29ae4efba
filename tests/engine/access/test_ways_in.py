"""Locks that grow, limits in the database, second factors, certificates against a challenge."""
from __future__ import annotations

import base64
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import Connection, select

from engine.access import one_time, passwords, rates, second_factor, sessions, sign_in_certificates
from engine.access.passwords import change_password, hash_password, policy_error, sign_in, unlock
from engine.access.sign_in_policy import Policy, policy_on, set_policy
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.kernel.gm import KeyRing, sm2_generate, sm2_sign
from engine.kernel.gm.certificates import Authority, issue_leaf, issue_root, to_pem
from engine.storage.tables.organisation import account
from engine.storage.tables.sign_in import second_factor as factor_table
from engine.web.proxies import BehindProxies, client_address
from tests.engine.access.organisation_factory import AT, small_city

GOOD = "Guicheng-2026"
SITE = "https://law.example.cn"


@pytest.fixture
def li(connection: Connection) -> Any:
    return small_city(connection).sit("li", "TA_s1", "officer", password_hash=hash_password(GOOD))


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path)


def wrong(connection: Connection, login: str, at: Any, times: int = 5) -> list[str]:
    return [sign_in(connection, login=login, password="wrong", at=at).refusal or "" for _ in range(times)]


@pytest.mark.requirement("NFM-050")
@pytest.mark.requirement("NFR-061")
def test_each_lock_is_longer_than_the_one_before_and_a_sign_in_forgets_them(connection: Connection, li: Any) -> None:
    at = AT
    for minutes in (15, 30, 60):
        assert f"锁定 {minutes} 分钟" in wrong(connection, "li", at)[-1]
        assert sign_in(connection, login="li", password=GOOD, at=at + timedelta(minutes=minutes - 1)).account_id is None
        at += timedelta(minutes=minutes)
    assert sign_in(connection, login="li", password=GOOD, at=at).account_id == li.account_id
    assert "锁定 15 分钟" in wrong(connection, "li", at)[-1]
    unlock(connection, account_id=li.account_id)
    assert sign_in(connection, login="li", password=GOOD, at=at).account_id == li.account_id


def test_a_login_that_nobody_has_is_counted_and_locked_in_the_same_words(connection: Connection, li: Any) -> None:
    assert wrong(connection, "nobody", AT, 7) == wrong(connection, "li", AT, 7)
    assert wrong(connection, "nobody", AT + timedelta(minutes=15), 5)[-1] == wrong(connection, "li", AT + timedelta(minutes=15), 5)[-1]
    assert passwords.sweep_strangers(connection, at=AT + timedelta(days=3)) == 1


def test_who_guesses_in_parallel_gains_nothing(connection: Connection, li: Any) -> None:
    """Six tries are computed before any is settled: the sixth is right, and is refused all the same."""
    found = passwords.look_up(connection, login="li")
    proved = [passwords.proves(found, text) for text in ("a", "b", "c", "d", "e", GOOD)]
    answers = [passwords.settle(connection, candidate=found, right=right, at=AT) for right in proved]
    assert proved[-1] and answers[-1].account_id is None and answers[-1].locked


@pytest.mark.parametrize("password", ["Password-2026!", "P@ssw0rd-12345", "Woaini-1314520", "Qwertyuiop-123", "1qaz2wsx3edc!Q", "Abcdefgh-12345"])
def test_a_password_that_many_people_have_is_refused(password: str) -> None:
    assert "太常见" in (policy_error(password, login="li") or "")


def test_a_password_is_not_used_again_and_ends_by_date(connection: Connection, li: Any) -> None:
    rules, used = Policy(history=2, expires_days=90), [GOOD, "Other-Word-991", "Third-Word-772", "Fourth-Word-55"]
    for number, (old, new) in enumerate(pairwise(used)):
        change_password(connection, account_id=li.account_id, old=old, new=new, at=AT + timedelta(minutes=number), policy=rules)
    with pytest.raises(Invalid, match="最近 2 次"):
        change_password(connection, account_id=li.account_id, old=used[3], new=used[1], at=AT + timedelta(hours=1), policy=rules)
    change_password(connection, account_id=li.account_id, old=used[3], new=GOOD, at=AT + timedelta(hours=1), policy=rules)
    assert sign_in(connection, login="li", password=GOOD, at=AT + timedelta(days=89), policy=rules).must_change is False
    assert sign_in(connection, login="li", password=GOOD, at=AT + timedelta(days=91), policy=rules).must_change is True


def test_the_policy_is_dated_and_production_asks_administrators_for_more(connection: Connection) -> None:
    on = date(2026, 3, 2)
    changes = {"min_length": 16, "second_rights": ("admin",), "when_full": "refuse"}
    set_policy(connection, changes=changes, valid_from=date(2026, 3, 5), reason="等保整改", by_name="管理员", by_id=None, at=AT, on=on)
    assert policy_on(connection, on=date(2026, 3, 4)) == Policy()
    assert policy_on(connection, on=date(2026, 3, 5)) == Policy(min_length=16, second_rights=("admin",), when_full="refuse")
    assert policy_on(connection, on=on, environment="production").asks_second(rights=frozenset({"admin"}), post="officer")
    with pytest.raises(Invalid) as refused:
        set_policy(connection, changes={"min_length": 4, "failures": True, "unheard": 1}, valid_from=on, reason="改", by_name="", by_id=None, at=AT, on=on)
    assert set(refused.value.fields) == {"min_length", "failures", "policy"}
    with pytest.raises(Invalid):
        set_policy(connection, changes={}, valid_from=date(2026, 3, 1), reason="改", by_name="", by_id=None, at=AT, on=on)


def test_a_window_counts_for_everybody_and_starts_anew(connection: Connection) -> None:
    assert [rates.count(connection, kind="k", subject="a", at=AT) for _ in range(3)] == [1, 2, 3]
    assert rates.count(connection, kind="k", subject="b", at=AT) == rates.count(connection, kind="other", subject="a", at=AT) == 1
    assert rates.counted(connection, kind="k", subject="a", at=AT) == 3
    assert rates.count(connection, kind="k", subject="a", at=AT + timedelta(minutes=1)) == 1
    assert 1 <= rates.seconds_left(AT) <= 61
    assert rates.sweep(connection, at=AT + timedelta(days=2)) == 4


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"), ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"), ("203.0.113.5", "1.1.1.1", "203.0.113.5"),
        ("10.0.0.1", "1.1.1.1, rubbish", "10.0.0.1"), ("10.0.0.1", "2001:db8::1", "2001:db8::1"), ("10.0.0.1", "10.0.0.7", "10.0.0.7"),
    ],
)
def test_only_a_proxy_of_ours_is_believed(peer: str, forwarded: str, address: str) -> None:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], _start: Any) -> list[bytes]:
        seen.update(environ)
        return []

    middleware = BehindProxies(app, ["10.0.0.0/8"])
    middleware({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}, lambda *_: None)
    assert seen["REMOTE_ADDR"] == client_address(peer, forwarded, middleware.networks) == address
    BehindProxies(app, [])({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}, lambda *_: None)
    assert seen["REMOTE_ADDR"] == "10.0.0.1"


@pytest.mark.requirement("NFM-050")
@pytest.mark.requirement("NFR-061")
def test_a_code_is_taken_once_and_a_recovery_code_too(connection: Connection, li: Any, keys: KeyRing) -> None:
    made = second_factor.begin(connection, keys, account_id=li.account_id, at=AT)
    assert made.address.startswith("otpauth://totp/") and second_factor.waiting(connection, keys, account_id=li.account_id) == made
    assert made.secret.encode() not in bytes(connection.scalar(select(factor_table.c.secret)) or b"")
    assert not second_factor.is_on(connection, account_id=li.account_id)
    totp = pyotp.TOTP(made.secret)
    with pytest.raises(Invalid):
        second_factor.confirm(connection, keys, account_id=li.account_id, code="000000" if totp.at(AT) != "000000" else "111111", at=AT)
    spare = second_factor.confirm(connection, keys, account_id=li.account_id, code=totp.at(AT), at=AT)

    def check(code: str, at: Any) -> str:
        return second_factor.check(connection, keys, account_id=li.account_id, code=code, at=at)

    later = AT + timedelta(minutes=5)
    assert check(totp.at(AT), AT) == ""  # the code of the enrolment is used up
    assert [check(totp.at(later), later) for _ in range(2)] == ["code", ""]
    assert check(totp.at(later - timedelta(seconds=30)), later) == ""  # an earlier one after a later one
    assert check(totp.at(later), later + timedelta(minutes=5)) == ""
    assert [check(spare[0].upper(), later), check(spare[0], later), check("", later), check("x" * 60, later)] == ["recovery", "", "", ""]
    assert second_factor.standing(connection, account_id=li.account_id).recovery_left == 9
    with pytest.raises(Invalid):
        second_factor.begin(connection, keys, account_id=li.account_id, at=later)
    assert second_factor.remove(connection, account_id=li.account_id) and check(totp.at(later + timedelta(hours=1)), later + timedelta(hours=1)) == ""


def test_a_step_is_taken_once_in_time_and_by_its_kind(connection: Connection) -> None:
    token = one_time.new_step(connection, kind="second", detail={"a": 1}, at=AT)
    assert one_time.take_step(connection, kind="openid", token=token, at=AT) is None
    assert [one_time.try_step(connection, kind="second", token=token, at=AT) for _ in range(6)] == [{"a": 1}] * 5 + [None]
    assert [one_time.take_step(connection, kind="second", token=token, at=AT) for _ in range(2)] == [{"a": 1}, None]
    late = one_time.new_step(connection, kind="second", detail={}, at=AT)
    assert one_time.take_step(connection, kind="second", token=late, at=AT + timedelta(minutes=5)) is None
    assert one_time.sweep_steps(connection, at=AT + timedelta(minutes=5)) == 1


class Card:
    """A software certificate and its key."""

    def __init__(self, keys: KeyRing, name: str = "人li", *, since: timedelta = timedelta(days=-1), until: timedelta = timedelta(days=30), authority: Any = None) -> None:
        pair = sm2_generate()
        self.private = pair.private
        der = issue_leaf(authority=authority or keys.root, public=pair.public, name=name, organisation="所", valid_from=AT + since, valid_until=AT + until)
        self.pem = to_pem(der, "CERTIFICATE")

    def sign(self, text: str) -> str:
        return base64.b64encode(sm2_sign(self.private, text.encode())).decode()


@pytest.mark.requirement("NFR-062")
@pytest.mark.requirement("NFR-091")
def test_a_certificate_signs_in_by_answering_its_own_challenge_once(connection: Connection, li: Any, keys: KeyRing, tmp_path: Path) -> None:
    card = Card(keys)

    def prove(challenge: str, signature: str = "", *, shown: Card = card, browser: str = "b1", at: Any = AT) -> sign_in_certificates.Proof:
        return sign_in_certificates.prove(
            connection, keys, challenge=challenge, certificate=shown.pem, signature=signature or shown.sign(challenge), site=SITE, browser=browser, folder=tmp_path / "roots", at=at,
        )

    def fresh() -> str:
        return sign_in_certificates.new_challenge(connection, site=SITE, browser="b1", at=AT)

    assert prove(fresh()).why == "没有绑定"
    bound = {"account_id": li.account_id, "folder": tmp_path / "roots", "by_name": "李", "at": AT}
    sign_in_certificates.bind(connection, keys, certificate=card.pem, name="人li", **bound)
    challenge = fresh()
    assert prove(challenge).account_id == li.account_id
    assert prove(challenge).why == "随机数无效"  # replayed
    assert prove(fresh(), browser="b2").why == "随机数无效"  # another browser's
    assert prove(fresh(), at=AT + timedelta(minutes=3)).why == "随机数无效"  # expired
    assert prove(fresh().replace(SITE, "https://evil.example")).why == "随机数无效"
    assert prove(fresh(), card.sign("another text")).why == "签名不符"
    assert prove(fresh(), "not base 64").why == "签名无法读取"
    assert prove(fresh(), shown=Card(keys)).why == "没有绑定"
    assert "不在有效期" in prove(fresh(), shown=Card(keys, until=timedelta(hours=-1))).why
    pair = sm2_generate()
    stranger = issue_root(private=pair.private, public=pair.public, name="别家", valid_from=AT - timedelta(days=9), valid_until=AT + timedelta(days=99))
    foreign = Authority(private=pair.private, certificate=stranger)
    assert "受信任" in prove(fresh(), shown=Card(keys, authority=foreign)).why
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "other.pem").write_text(to_pem(stranger, "CERTIFICATE"))
    assert "受信任" in prove(fresh()).why  # a deployment with roots of its own trusts no others
    (tmp_path / "roots" / "other.pem").unlink()
    with pytest.raises(Conflict):
        sign_in_certificates.bind(connection, keys, certificate=card.pem, name="人li", **bound)
    with pytest.raises(Invalid, match="姓名"):
        sign_in_certificates.bind(connection, keys, certificate=Card(keys, "别人").pem, name="人li", **bound)
    row = sign_in_certificates.of_account(connection, account_id=li.account_id)[0]
    sign_in_certificates.revoke(connection, certificate_id=row.id, why="遗失", at=AT, account_id=li.account_id)
    assert prove(fresh()).why == "已停用"
    with pytest.raises(NotFound):
        sign_in_certificates.revoke(connection, certificate_id=row.id, why="", at=AT)


def test_too_many_sessions_end_the_oldest_or_refuse_the_new_one(connection: Connection, li: Any) -> None:
    def enter(number: int, policy: Policy) -> sessions.OpenSession:
        return sessions.open_session(connection, account_id=li.account_id, post_id=None, agent="", at=AT + timedelta(minutes=number), policy=policy)

    rules = Policy(most_sessions=2)
    first, second = enter(1, rules), enter(2, rules)
    third = enter(3, rules)
    assert (first.ended, second.ended, third.ended) == (0, 0, 1)
    alive = [sessions.resolve_session(connection, token=one.token, at=AT + timedelta(minutes=4)) is not None for one in (first, second, third)]
    assert alive == [False, True, True]
    with pytest.raises(Conflict, match="2 处"):
        enter(5, Policy(most_sessions=2, when_full="refuse"))
    assert connection.scalar(select(account.c.id).where(account.c.id == li.account_id)) == li.account_id


def test_a_session_keeps_the_times_of_the_policy_it_was_opened_under(connection: Connection, li: Any) -> None:
    rules = Policy(idle_minutes=10, longest_minutes=30)
    token = sessions.open_session(connection, account_id=li.account_id, post_id=None, agent="", at=AT, policy=rules).token
    for minutes in (9, 18, 27):
        found = sessions.resolve_session(connection, token=token, at=AT + timedelta(minutes=minutes))
        assert found is not None
        sessions.touch_session(connection, token_hash=found.token_hash, at=AT + timedelta(minutes=minutes))
    assert sessions.resolve_session(connection, token=token, at=AT + timedelta(minutes=30)) is None


def test_a_cookie_belongs_to_the_kind_of_browser_that_got_it() -> None:
    chrome, newer = "Mozilla/5.0 (X11; Linux) Chrome/140.0.1", "Mozilla/5.0 (X11; Linux) Chrome/141.2"
    assert sessions.browser_kind(chrome) == sessions.browser_kind(newer) != sessions.browser_kind("curl/8.1")
