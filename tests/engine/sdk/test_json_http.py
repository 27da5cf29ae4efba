"""The one door to outside systems over sockets: decisions are told apart from what is worth another try; nothing crashes on nonsense."""
from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from engine.kernel.errors import BusinessError, TryAgain
from engine.runtime.handlers import ConnectorConfig
from engine.sdk.json_http import JsonHttp
from engine.sdk.simulating import Call, Routes, make_json_server


@contextmanager
def served(routes: Routes) -> Iterator[str]:
    server = make_json_server(routes)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def http_to(url: str, **more: Any) -> JsonHttp:
    return JsonHttp(ConnectorConfig(name="x", url=url, simulated=True, options={"token": "t", "timeout_seconds": 1}), title="某系统", **more)


def number(raw: Mapping[str, Any]) -> int:
    if "number" not in raw:
        raise ValueError("没有编号")
    return int(raw["number"])


def test_body_key_and_query_arrive_and_the_answer_is_read() -> None:
    seen: list[Call] = []

    def take(call: Call) -> tuple[int, dict[str, Any] | str]:
        seen.append(call)
        return 200, {"number": 7}

    with served({"POST /in": take, "GET /out": take, "GET /pages/": take}) as url:
        client = http_to(url)
        assert client.post("/in", {"名": "甲"}, number, key="k1") == 7 and client.get("/out", number, place="云汀 路") == 7 and client.get("/pages/12", number) == 7
    assert (seen[0].body, seen[0].key, seen[1].query, seen[2].rest) == ({"名": "甲"}, "k1", {"place": "云汀 路"}, "12")


@pytest.mark.parametrize(("status", "answer", "more", "error", "said"), [
    (409, {"message": "已结案"}, {"refused": "no"}, BusinessError, "已结案"), (422, {}, {"refused": "no"}, BusinessError, "某系统答复 422"), (409, "<p>x", {"refused": "no"}, BusinessError, "某系统答复 409"),
    (409, {"message": "已结案"}, {}, TryAgain, "某系统答复 409"), (400, {}, {"refused": "no"}, TryAgain, "某系统答复 400"), (503, {}, {"refused": "no"}, TryAgain, "某系统答复 503"),
    (200, "<html>", {"refused": "no"}, TryAgain, "看不懂"), (200, {}, {"refused": "no"}, TryAgain, "没有编号"),
])
def test_a_decision_is_told_from_what_is_worth_another_try(status: int, answer: Any, more: dict[str, Any], error: type[Exception], said: str) -> None:
    with served({"POST /in": lambda call: (status, answer)}) as url, pytest.raises(error, match=said):
        http_to(url, **more).post("/in", {}, number)


@pytest.mark.requirement("NFM-072")
@pytest.mark.parametrize("speak", [lambda peer: peer.close(), lambda peer: peer.sendall(b"nonsense\r\n\r\n"), lambda peer: None])
def test_who_hangs_up_talks_nonsense_or_says_nothing_is_asked_again(speak: Callable[[socket.socket], object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held = []

        def answer() -> None:
            peer, _ = listener.accept()
            held.append(peer)
            peer.recv(4096)
            speak(peer)

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(TryAgain, match="某系统"):
            http_to(f"http://127.0.0.1:{listener.getsockname()[1]}", refused="no").post("/in", {}, number)
        held[0].close()


def test_without_an_address_nothing_is_asked() -> None:
    with pytest.raises(TryAgain, match="还没有配置"):
        http_to("").post("/in", {}, number)


@pytest.mark.parametrize(("method", "path", "body", "status"), [("POST", "/in", b"{", 422), ("POST", "/in", b"[1]", 422), ("POST", "/nowhere", b"{}", 404), ("GET", "/in", b"", 404)])
def test_a_simulator_answers_nonsense_in_words(method: str, path: str, body: bytes, status: int) -> None:
    with served({"POST /in": lambda call: (200, {})}) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
        connection.request(method, path, body=body)
        assert connection.getresponse().status == status
        connection.close()
