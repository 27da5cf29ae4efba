"""The real-name check over sockets, with its refusals."""
from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest

from engine.sdk import ConnectorConfig, TryAgain
from integrations.real_name.client import HttpRealName
from integrations.real_name.simulator import make_server


@pytest.fixture
def check() -> Iterator[HttpRealName]:
    server = make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield HttpRealName(ConnectorConfig(name="real_name", url=f"http://127.0.0.1:{server.server_port}", simulated=True))
    server.shutdown()
    server.server_close()


def begun(check: HttpRealName, name: str = "白晓棠") -> tuple[str, str]:
    challenge = check.begin(name=name, identifier_kind="id_card", identifier="110101199003070003", phone="13800138000")
    code = re.search(r"是 (\d{6})", challenge.hint)
    assert code
    return challenge.number, code.group(1)


def test_the_code_that_was_sent_passes_once(check: HttpRealName) -> None:
    number, code = begun(check)
    wrong = check.confirm(number, "000000" if code != "000000" else "111111")
    assert (wrong.passed, wrong.reason) == (False, "验证码不对，请重新输入")
    passed = check.confirm(number, code)
    assert passed.passed
    assert passed.receipt
    assert not check.confirm(number, code).passed


def test_a_name_that_does_not_fit_is_refused_with_the_reason(check: HttpRealName) -> None:
    verdict = check.confirm(*begun(check, "不符一"))
    assert (verdict.passed, verdict.reason) == (False, "姓名和证件号对不上")


def test_who_represents_an_enterprise(check: HttpRealName) -> None:
    known = {"identifier": "1", "organisation": "上海麦浪食品有限公司", "credit_code": "91310199MA00003179"}
    assert check.represents(name="麦小满", **known).passed
    assert not check.represents(name="旁人", **known).passed


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9"])
def test_no_answer_asks_to_try_again(url: str) -> None:
    with pytest.raises(TryAgain):
        HttpRealName(ConnectorConfig(name="real_name", url=url, simulated=False)).confirm("1", "2")
