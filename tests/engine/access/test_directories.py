"""OpenID Connect against a real provider, LDAP against a real slapd, each in a process of its own."""
from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select

from engine.access import openid
from engine.access.directories import Ldap, OpenId
from engine.access.ldap import vouches
from engine.kernel.clock import Clock, FixedClock
from engine.kernel.settings import ROOT
from engine.storage.tables.organisation import audit
from engine.web.flask_app import create_flask
from tests.engine.access.organisation_factory import AT
from tests.town import Town

NODE = ROOT / ".venv" / "bin" / "node"
BACK = "http://127.0.0.1:8000/login/openid/back"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "it ended at once"
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("nothing listens")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([str(NODE), str(Path(__file__).parent / "provider.mjs")], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.write(json.dumps({"port": port, "back": BACK, "login": "officer"}).encode())
    process.stdin.close()
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_a_person_comes_in_by_the_provider_once_and_from_the_same_browser(town: Town, issuer: str) -> None:
    assert isinstance(town.app.clock, FixedClock)
    town.app.clock.set(Clock().now())  # the provider's tokens are made by the machine's clock
    file = town.app.settings.data_dir / "sign_in.json"
    file.write_text(json.dumps({"openid": {"issuer": issuer, "client_id": "guicheng", "client_secret": "a-secret-of-the-test"}}))
    file.chmod(0o600)
    flask = create_flask(town.app)
    client = flask.test_client()
    assert "统一认证" in client.get("/login").text
    sent = client.get("/login/openid?next=/cases").headers["Location"]
    asked = parse_qs(urlsplit(sent).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["response_type"] == ["code"] and len(asked["state"][0]) > 30 and len(asked["nonce"][0]) > 30
    address = come_back(sent)
    assert flask.test_client().get(address).status_code == 422  # a state that belongs to another browser; used up now
    assert client.get(address).status_code == 422
    address = come_back(client.get("/login/openid?next=/cases").headers["Location"])
    entered = client.get(address)
    assert (entered.status_code, entered.headers["Location"]) == (303, "/cases")
    assert client.get("/desk").status_code == 200
    assert flask.test_client().get("/login/openid/back?state=x&code=y").status_code == 422
    crooked = come_back(client.get("/login/openid").headers["Location"]).replace("code=", "code=x")
    assert client.get(crooked).status_code == 422
    with town.app.db.connect() as connection:
        ways = [one.get("way") for one in connection.scalars(select(audit.c.detail).where(audit.c.action == "登录"))]
    assert ways == ["openid"]


def come_back(address: str) -> str:
    """What the provider sends the browser back to, after signing in there."""
    browser = requests.Session()
    for _ in range(8):
        answer = browser.get(address, allow_redirects=False, timeout=20)
        assert answer.status_code in (302, 303), answer.text
        address = urljoin(address, answer.headers["Location"])
        if address.startswith(BACK):
            parts = urlsplit(address)
            return f"{parts.path}?{parts.query}"
    raise AssertionError(address)


@pytest.mark.parametrize(
    "changes",
    [{"iss": "https://evil.example"}, {"aud": "others"}, {"nonce": "another"}, {"exp": -3600}, {"sub": None}, {"preferred_username": ""}, {"aud": ["guicheng", "others"]}, {"alg": "HS256"}, {"key": "other"}],
)
def test_a_token_that_was_not_made_for_us_now_proves_nothing(changes: dict[str, Any]) -> None:
    key, other, now = RSAKey.generate_key(2048, {"kid": "1"}), RSAKey.generate_key(2048, {"kid": "1"}), int(AT.timestamp())
    provider = openid.Provider(config=OpenId(issuer="https://id.example.cn", client_id="guicheng"), authorize="", token="", keys="")
    good = {"iss": "https://id.example.cn", "aud": "guicheng", "nonce": "n", "sub": "1", "iat": now, "exp": now + 300, "preferred_username": "li"}
    keys = {"keys": [key.as_dict(private=False)]}

    def made(**more: Any) -> str:
        claims = {name: value for name, value in {**good, **more}.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, other if changes.get("key") else key)

    if "key" not in changes:
        assert openid.check_id_token(provider, made(), nonce="n", keys=keys, at=AT) == "li"
    bad = {name: now + value if name == "exp" else value for name, value in changes.items() if name not in ("alg", "key")}
    token = made(**bad)
    if "alg" in changes:
        token = "eyJhbGciOiJub25lIn0." + token.split(".")[1] + "."
    with pytest.raises(openid.NotProved):
        openid.check_id_token(provider, token, nonce="n", keys=keys, at=AT)


ENTRIES = """dn: dc=example
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: cn=reader,dc=example
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader-word

dn: uid=li,dc=example
objectClass: inetOrgPerson
uid: li
cn: li
sn: li
employeeNumber: OFFICER
userPassword: Li-Directory-01

dn: uid=wang,dc=example
objectClass: inetOrgPerson
uid: wang
cn: wang
sn: wang
employeeNumber: other_officer
userPassword: Wang-Directory-01
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ldap]:
    """A slapd with a certificate of its own authority; a bind without TLS is refused."""
    folder = tmp_path_factory.mktemp("slapd")
    run = lambda *words: subprocess.run(words, check=True, capture_output=True, cwd=folder)  # noqa: E731
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    (folder / "data").mkdir()
    (folder / "slapd.conf").write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCertificateFile {folder}/ca.pem
TLSCertificateKeyFile {folder}/key.pem
security simple_bind=128
database mdb
suffix dc=example
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=cn=reader,dc=example read by * none
""")
    (folder / "entries.ldif").write_text(ENTRIES)
    slapd = shutil.which("slapd") or "/usr/sbin/slapd"
    run("/usr/sbin/slapadd", "-f", "slapd.conf", "-l", "entries.ldif")
    port = free_port()
    process = subprocess.Popen([slapd, "-d", "0", "-f", str(folder / "slapd.conf"), "-h", f"ldap://127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield Ldap(
            url=f"ldap://127.0.0.1:{port}", base="dc=example", account_attribute="employeeNumber", bind_dn="cn=reader,dc=example", bind_password="reader-word", ca=str(folder / "ca.pem"),
        )
    finally:
        process.kill()
        process.wait()


def test_the_directory_vouches_for_the_right_password_only(directory: Ldap) -> None:
    assert vouches(directory, login="li", password="Li-Directory-01") == "officer"
    for login, password in [
        ("li", "wrong"), ("li", ""), ("nobody", "Li-Directory-01"), ("*", "Li-Directory-01"), ("li)(uid=*", "Li-Directory-01"), ("li*", "Li-Directory-01"),
        ("", "x"), ("li\0", "Li-Directory-01"), ("li", "Li-Directory-01\0x"), ("wang)(|(uid=li", "Li-Directory-01"), ("l\\69", "Li-Directory-01"),
    ]:
        assert vouches(directory, login=login, password=password) == "", login


def test_no_password_goes_out_without_tls_or_to_a_stranger(directory: Ldap) -> None:
    plain = {**vars(directory), "start_tls": False}
    assert vouches(Ldap(**plain), login="li", password="Li-Directory-01") == ""  # this server refuses it
    assert vouches(Ldap(**{**vars(directory), "ca": ""}), login="li", password="Li-Directory-01") == ""  # nobody we know vouches for its certificate
    assert vouches(Ldap(**{**vars(directory), "url": "ldap://127.0.0.1:1"}), login="li", password="x") == ""
    assert vouches(Ldap(**{**vars(directory), "bind_password": "wrong"}), login="li", password="Li-Directory-01") == ""


def test_somebody_comes_in_with_the_directorys_password(town: Town, directory: Ldap) -> None:
    file = town.app.settings.data_dir / "sign_in.json"
    file.write_text(json.dumps({"ldap": vars(directory)}))
    file.chmod(0o600)
    flask = create_flask(town.app)

    def sign_in(login: str, password: str) -> int:
        client = flask.test_client()
        token = client.get("/login").text.partition('name="csrf" value="')[2].partition('"')[0]
        return int(client.post("/login", data={"csrf": token, "login": login, "password": password}).status_code)

    assert sign_in("li", "Li-Directory-01") == 303
    assert sign_in("li", "wrong") == sign_in("wang", "Li-Directory-01") == 422
    with town.app.db.connect() as connection:
        assert [one.get("way") for one in connection.scalars(select(audit.c.detail).where(audit.c.action == "登录"))] == ["ldap"]
