"""Uploads through a scanner over a real socket: what it knows isn't taken and is told, what it can't look at isn't taken either."""
from __future__ import annotations

import io
import socketserver
import threading
from dataclasses import replace

from PIL import Image
from sqlalchemy import select

from engine.cli.clamd_simulator import EICAR, make_server
from engine.kernel.virus_scanner import VirusScanner
from engine.storage.tables.organisation import account, audit
from engine.storage.tables.proof import integrity_alarm
from engine.web.flask_app import create_flask
from tests.engine.web.site import Site

FETCH = {"X-Guicheng-Fetch": "1"}


def picture(more: bytes = b"") -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(out, "PNG")
    return io.BytesIO(out.getvalue() + more)


def serve(server: socketserver.BaseServer) -> str:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}"  # type: ignore[index]


class Rude(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"INSTREAM size limit exceeded. ERROR\0")


def test_every_file_is_looked_at_before_it_is_taken(site: Site) -> None:
    server, rude = make_server(), socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rude)
    address = serve(server)

    def use(scanner: str) -> None:
        site.flask = create_flask(replace(site.app, settings=replace(site.app.settings, virus_scanner=scanner)))
        site.client = site.flask.test_client()
        site.sign_in("officer")

    def send(file: io.BytesIO, **more: str) -> tuple[int, str]:
        answer = site.client.post("/attachments", data={"csrf": site.token("/desk"), "field": "files", "file": (file, "图.png"), **more}, headers=FETCH)
        return answer.status_code, (answer.get_json() or {}).get("error", {}).get("code", "")

    use(address)
    assert send(picture()) == (201, "") and send(picture(EICAR)) == (422, "infected")
    site.client.post("/processes/deploy", data={"csrf": site.token("/desk"), "pack": "x", "file": (io.BytesIO(EICAR), "a.bpmn")}, headers=FETCH)
    with site.app.db.begin() as connection:
        told = list(connection.scalars(select(audit.c.detail).where(audit.c.action == "upload.infected")))
        assert told[0]["found"] == "Eicar-Test-Signature"
        assert "恶意代码" in str(connection.scalar(select(integrity_alarm.c.text).where(integrity_alarm.c.level == "high")))
        connection.execute(account.update().where(account.c.login == "officer").values(rights=["security"]))
    assert "模拟 clamd" in site.get("/admin/security").text
    use(serve(rude))
    assert send(picture()) == (503, "scanner_failed")
    server.shutdown()
    server.server_close()
    use(address)
    assert send(picture()) == (503, "scanner_silent")
    assert "没有应答" in site.get("/admin/security").text and VirusScanner(address).version() == ""
    rude.shutdown()
    rude.server_close()
    use("")
    page = site.get("/admin/security").text
    assert send(picture(EICAR))[0] == 201 and "没有接" in page and "运行保护" in page
