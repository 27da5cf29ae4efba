"""Lines to outside systems: nothing in plain to another machine, envelopes bound to their question, TLS with SM2, SM3 and SM4 through the gateway."""
from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine.cli.gm_gateway import Gateway, _own_certificate, forwarded
from engine.kernel.errors import BusinessError, TryAgain
from engine.kernel.gm import KeyRing
from engine.kernel.gm.certificates import to_pem
from engine.kernel.gm.envelope import Identity, Peer
from engine.kernel.gm.tls import GmContext, available
from engine.kernel.settings import Settings
from engine.packs.manifest import Exchange
from engine.runtime.exchange.partner import partner_of
from engine.runtime.handlers import ConnectorConfig, ConnectorFactory
from engine.sdk.exchanging import HttpExchange
from engine.sdk.json_http import JsonHttp
from engine.sdk.simulating import Call, make_json_server, speak_sealed
from engine.sdk.simulating_exchange import SimulatedExchange


def peer_of(own: Identity) -> Peer:
    return Peer(signing=own.signing, sealing=own.sealing)


@contextmanager
def running(server: Any) -> Iterator[str]:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def sealed_pair(folder: Path, server: ThreadingHTTPServer) -> Iterator[ConnectorConfig]:
    us, them = KeyRing(folder / "us").identity, KeyRing(folder / "them").identity
    speak_sealed(server, own=them, peer=peer_of(us))
    with running(server) as url:
        yield ConnectorConfig(name="x", url=url, simulated=True, options={"token": "only-inside", "timeout_seconds": 2}, own=us, peer=peer_of(them))


@pytest.mark.requirement("NFR-063")
def test_an_exchange_speaks_envelopes_from_end_to_end_and_a_replay_is_refused(tmp_path: Path) -> None:
    day = datetime(2026, 11, 20, tzinfo=UTC).date()
    system = SimulatedExchange(feeds={"tickets": [{"key": "a", "day": "2026-11-20", "title": "楼顶搭建"}]}, takes=("replies",))
    with sealed_pair(tmp_path, system.server()) as config:
        seen: list[bytes] = []
        client = HttpExchange(config, title="某系统", feeds={"tickets": lambda data: ""})
        line = http.client.HTTPConnection.request

        def overhear(self: Any, method: str, url: str, body: Any = None, headers: Any = None, **more: Any) -> None:
            seen.append(f"{method} {url} {headers}".encode() + (body or b""))
            line(self, method, url, body, headers or {}, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http.client.HTTPConnection, "request", overhear)
            assert client.pull("tickets", after="", most=10).items[0].data["title"] == "楼顶搭建" and client.keys_of("tickets", day=day) == ["a"]
            assert client.push("replies", record={"day": "2026-11-20", "result": "已核实"}, key="k").number == "HZ000001"
        assert len(seen) == 3 and not any(word.encode() in b"".join(seen) for word in ("only-inside", "replies", "tickets", "已核实", "result"))
        again = json.loads(seen[-1][seen[-1].index(b'{"v"') :])
        plain = JsonHttp(replace(config, peer=None), title="某系统", refused="no", decided=(400,))
        with pytest.raises(BusinessError, match="已经收过"):
            plain.post("/sealed", again, dict)
        with pytest.raises(BusinessError, match="签名不对"):
            plain.post("/sealed", {**again, "data": again["data"][:-8] + "AAAAAAA="}, dict)
        assert len(system.taken["replies"]) == 1
        system.mode = "refuse"
        assert client.push("replies", record={"day": "2026-11-20"}, key="m").refused == "对方核对不一致，不接收"


def test_an_answer_that_is_not_in_our_envelope_is_worth_nothing(tmp_path: Path) -> None:
    def answer(call: Call) -> tuple[int, dict[str, Any] | str]:
        return 200, {"receipt": "forged"}

    with running(make_json_server({"POST /sealed": answer, "POST /in": answer})) as url:
        us, them = KeyRing(tmp_path / "us").identity, KeyRing(tmp_path / "them").identity
        with pytest.raises(TryAgain, match="看不懂：不是加密信封"):
            JsonHttp(ConnectorConfig(name="x", url=url, simulated=True, own=us, peer=peer_of(them)), title="某系统").post("/in", {}, dict)


@pytest.mark.parametrize("url", ["http://10.1.2.3", "http://system.example", "ftp://127.0.0.1", "file:///etc/passwd", "http://127.0.0.1.example"])
def test_nothing_goes_over_a_plain_line_to_another_machine(url: str) -> None:
    with pytest.raises(TryAgain, match="不走明文"):
        JsonHttp(ConnectorConfig(name="x", url=url, simulated=False), title="某系统").post("/in", {}, dict)


def test_a_redirection_is_not_followed() -> None:
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://10.255.255.1/steal")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)) as url, pytest.raises(TryAgain, match="答复 302"):
        JsonHttp(ConnectorConfig(name="x", url=url, simulated=True), title="某系统").get("/out", dict)


def test_certificates_come_from_files_beside_the_connector_and_a_sealed_exchange_demands_them(tmp_path: Path) -> None:
    factory = ConnectorFactory(name="far", title="远方", make=lambda config: config)
    (tmp_path / "connectors").mkdir()
    settings, file = Settings(database_url="", data_dir=tmp_path), tmp_path / "connectors" / "far.json"

    class App:
        connectors: Any = type("All", (), {"find": staticmethod(lambda name: factory)})
        settings: Any = None

        def connector(self, name: str) -> Any:
            return factory.open(self.settings)

    app: Any = App()
    app.settings = settings
    exchange = Exchange(name="x.far", title="送件", system="far", way="out", feed="f", every=5, sealed=True)
    file.write_text(json.dumps({"url": "https://far.example"}))
    with pytest.raises(TryAgain, match="要求加密信封"):
        partner_of(app, exchange)
    them = KeyRing(tmp_path / "them").identity
    (tmp_path / "connectors" / "far.pem").write_text(to_pem(them.signing, "CERTIFICATE") + to_pem(them.sealing, "CERTIFICATE"))
    file.write_text(json.dumps({"url": "https://far.example", "peer": "far.pem", "gm_roots": "far.pem"}))
    config: Any = partner_of(app, exchange)
    assert config.peer == peer_of(them) and config.own.signing == KeyRing(tmp_path).identity.signing and len(config.gm_roots) == 2
    file.write_text(json.dumps({"url": "https://far.example", "peer": "../../secret.pem"}))
    with pytest.raises(Exception, match="用不了"):
        partner_of(app, exchange)


def test_the_gateway_speaks_only_the_national_suite_and_says_where_a_request_comes_from(tmp_path: Path) -> None:
    assert available()
    heard: list[Mapping[str, str]] = []

    class Behind(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(dict(self.headers))
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    certificate, key = _own_certificate(tmp_path, "case.example")
    root = KeyRing(tmp_path).root.certificate
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Behind)) as url:
        backend = ("127.0.0.1", int(url.rpartition(":")[2]))
        with Gateway(listen=("127.0.0.1", 0), backend=backend, context=GmContext(certificate=certificate, key=key)) as gateway:
            threading.Thread(target=gateway.serve, daemon=True).start()
            config = ConnectorConfig(name="x", url=f"https://127.0.0.1:{gateway.port}", simulated=True, gm_roots=(root,), gm_name="case.example", options={"timeout_seconds": 5})
            large = {"名": "甲" * 20_000}
            assert JsonHttp(config, title="某系统", largest=1 << 20).post("/in", large, dict) == large
            told = heard[0]
            assert (told["X-Forwarded-For"], told["X-Forwarded-Proto"], told["Connection"]) == ("127.0.0.1", "https", "close")
            for wrong, said in ((replace(config, gm_name="other.example"), "不是“other.example”的"), (replace(config, gm_roots=(KeyRing(tmp_path / "third").root.certificate,)), "不能信任"), (replace(config, gm_roots=()), "没有应答")):
                with pytest.raises(TryAgain, match=said):
                    JsonHttp(wrong, title="某系统").post("/in", {}, dict)
            plain = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
            plain.request("GET", "/")
            with pytest.raises((http.client.HTTPException, OSError)):
                plain.getresponse()
    assert len(heard) == 1


def test_what_a_request_claims_about_where_it_comes_from_is_struck_out() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nx-forwarded-proto: http\r\nForwarded: for=9.9.9.9\r\nConnection: keep-alive\r\nCookie: k=v\r\n\r\n"
    assert forwarded(head, "5.6.7.8") == b"GET / HTTP/1.1\r\nX-Forwarded-For: 5.6.7.8\r\nX-Forwarded-Proto: https\r\nConnection: close\r\nHost: a\r\nCookie: k=v\r\n\r\n"
