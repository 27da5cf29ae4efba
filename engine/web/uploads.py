"""Every file of every request is looked at for malicious code before a view sees it, where the deployment has a scanner (ASVS V12.4)."""
from __future__ import annotations

from typing import Any

from flask import Flask, Request, current_app, g

from engine.access.alarms import raise_alarm
from engine.access.audit import note
from engine.kernel.virus_scanner import Infected, VirusScanner
from engine.web.context import now, writing


class ScannedRequest(Request):
    """``files`` raises Infected or Unavailable instead of handing out what the scanner refused, or never saw."""

    @property
    def files(self) -> Any:
        found = super().files
        address = current_app.extensions["guicheng"].settings.virus_scanner
        if address and not self.__dict__.get("looked_at"):
            for one in (sent for _, sent in found.items(multi=True) if sent.filename):
                _look(VirusScanner(address), one)
            self.__dict__["looked_at"] = True
        return found


def install(app: Flask) -> None:
    app.request_class = ScannedRequest


def _look(scanner: VirusScanner, sent: Any) -> None:
    try:
        scanner.look_at(sent.stream)
    except Infected as problem:
        actor = g.get("actor")
        who = actor.name if actor is not None else "没有登录的人"
        with writing() as connection:
            note(connection, actor=actor, at=now(), action="upload.infected", object=str(sent.filename)[:200], detail={"found": problem.found})
            raise_alarm(connection, kind="attack", subject=f"infected:{actor.account_id if actor is not None else ''}:{problem.found}", text=f"{who}上传的文件里有恶意代码：{problem.found}", at=now())
        raise
