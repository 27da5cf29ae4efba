"""Transport around the platform itself: names it answers to, HTTPS by its own server, no plain entry, no plain line to a database elsewhere."""
from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cli.ports import refuse_plain_entry
from engine.kernel.errors import GuichengError
from engine.kernel.settings import ROOT, Settings
from engine.storage.database import DatabaseUnfit, make_engine, plain_line
from engine.web.flask_app import create_flask
from engine.web.hosts import name_of
from tests.engine.web.site import Site

HERE = Settings(database_url="postgresql://u:p@127.0.0.1/x", data_dir=Path("/nowhere"), environment="production", host="0.0.0.0")


def test_a_host_that_is_not_ours_is_refused_before_anything_else(site: Site) -> None:
    settings = replace(site.app.settings, environment="production", public_url="https://办案.example", hosts=("inside.example",))
    client = create_flask(replace(site.app, settings=settings)).test_client()
    asked = ("evil.example", "inside.example", "INSIDE.example:8443", "127.0.0.1:8000", "[::1]:8000", "localhost", "inside.example.evil", "a" * 300, "inside.example@evil")
    assert [host for host in asked if client.get("/login", headers={"Host": host}).status_code != 421] == ["inside.example", "INSIDE.example:8443", "127.0.0.1:8000", "[::1]:8000", "localhost"]
    assert client.get("/login", headers={"Host": name_of("办案.example")}).status_code == 200
    assert "evil" not in client.get("/login", headers={"Host": "evil.example"}).text
    assert site.flask.test_client().get("/login", headers={"Host": "any.example"}).status_code == 200  # the demo is shown under any name


@pytest.mark.parametrize(("url", "env", "plain"), [
    ("postgresql://u:p@db.example/x", {}, True), ("postgresql://u:p@db.example/x?sslmode=prefer", {}, True), ("postgresql://u:p@10.0.0.5/x?sslmode=disable", {}, True),
    ("postgresql://u:p@/x?host=/run/a,db.example", {}, True), ("postgresql:///x", {"PGHOST": "db.example"}, True), ("postgresql://u@127.0.0.1,10.0.0.5/x", {}, True),
    ("postgresql://u:p@db.example/x?sslmode=verify-full", {}, False), ("postgresql://u:p@db.example/x?sslmode=require", {}, False), ("postgresql://u:p@db.example/x", {"PGSSLMODE": "verify-ca"}, False),
    ("postgresql://u:p@127.0.0.1/x", {}, False), ("postgresql://u:p@[::1]/x", {}, False), ("postgresql://u:p@/x?host=/var/run/postgresql", {}, False), ("postgresql:///x", {}, False),
])
def test_the_line_to_a_database_elsewhere_is_encrypted_or_refused_in_production(url: str, env: dict[str, str], plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bool(plain_line(url, env)) is plain
    for name in ("PGHOST", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    if plain:
        with pytest.raises(DatabaseUnfit, match="verify-full"):
            make_engine(replace(HERE, database_url=url))
    else:
        make_engine(replace(HERE, database_url=url)).dispose()
    make_engine(replace(HERE, database_url=url, environment="demo")).dispose()


def test_production_offers_other_machines_no_plain_entry(tmp_path: Path) -> None:
    file = tmp_path / "c.pem"
    file.touch()
    for wrong, said in ((HERE, "明文入口"), (replace(HERE, tls_certificate=str(file)), "一起设"), (replace(HERE, tls_certificate="/none.pem", tls_key=str(file)), "不存在")):
        with pytest.raises(GuichengError, match=said):
            refuse_plain_entry(wrong)
    for good in (replace(HERE, host="127.0.0.1"), replace(HERE, host="::1"), replace(HERE, tls_certificate=str(file), tls_key=str(file)), replace(HERE, proxies=("10.0.0.1",)), replace(HERE, environment="demo")):
        refuse_plain_entry(good)


@pytest.mark.prove
def test_the_web_server_itself_speaks_https_and_nothing_else(site: Site, tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(made, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": site.app.settings.database_url, "GUICHENG_DATA": str(site.app.settings.data_dir), "GUICHENG_ENV": "demo", "PUBLIC_URL": f"https://localhost:{port}",
                   "GUICHENG_TLS_CERT": str(certificate), "GUICHENG_TLS_KEY": str(key)}
    server = subprocess.Popen([sys.executable, "-m", "engine", "serve", "--port", str(port)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        answer = _ask(port, ssl.create_default_context(cafile=str(certificate)))
        assert answer.startswith("HTTP/1.1 200") and re.search("(?i)strict-transport-security", answer) and re.search("(?i)set-cookie: [^\n]*secure", answer)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            plain.sendall(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP/1.1 200" not in plain.recv(1000)
        for head in (b"X-Big: " + b"x" * 70_000, b"\r\n".join(b"X-%d: 1" % number for number in range(300))):
            assert " 431 " in _ask(port, ssl.create_default_context(cafile=str(certificate)), head).partition("\r\n")[0]
    finally:
        server.terminate()
        server.wait(20)


def _ask(port: int, context: ssl.SSLContext, head: bytes = b"X-Small: x") -> str:
    until = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as line, context.wrap_socket(line, server_hostname="localhost") as secure:
                secure.sendall(b"GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + head + b"\r\n\r\n")
                return secure.recv(8_000).decode("utf-8", "replace")
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
