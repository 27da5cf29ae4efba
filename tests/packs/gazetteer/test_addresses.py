"""Addresses to places by the local gazetteer, and back; an outside service in its place; what is doubtful is said."""
from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from engine.kernel.datums import to_cgcs2000
from engine.reference.locating import metres_apart
from engine.runtime.locate_address import locate, nearest
from integrations.geocoder.simulator import ROADS, STEP, make_server
from tests.packs.walk import Walker

KNOWN = [
    ("静安区余姚路301号", "between", "", None), ("余姚路281号", "number", "", None), ("上海市 静安区 曹家渡街道 余姚路３０１号 1幢202室", "between", "", None),
    ("余姚路290号", "between", "", None), ("余姚路88弄12号", "number", "静安区余姚路88弄12号", None), ("余姚路88弄7号", "lane", "静安区余姚路88弄", None),
    ("曹杨12村", "community", "普陀区曹杨二村", "把握"), ("曹杨一村12号301室", "number", "普陀区曹杨一村12号", None), ("普陀区曹杨3村", "community", "普陀区曹杨三村", None),
    ("余姚路近长寿支路", "crossing", "静安区余姚路长寿支路路口", None), ("余桃路301号", "between", "", "把握"), ("余姚路", "road", "静安区余姚路", "路的中段"),
    ("江宁路", "road", "", "把握"), ("静安区曹家渡街道", "street", "静安区曹家渡街道", "街镇中心"), ("火星路1号", "none", "", "没有找到"), ("曹家渡花鸟市场", "place", "", None),
]


def test_addresses_are_found_tolerantly_and_what_is_doubtful_is_said(city: Walker) -> None:
    with city.app.db.connect() as connection:
        for address, precision, title, doubtful in KNOWN:
            told = locate(city.app, connection, address=address)
            assert (told.found[0].precision if told.found else "none") == precision, (address, told)
            assert not title or told.found[0].title == title, (address, told)
            assert (doubtful in told.doubt) if doubtful else not told.doubt, (address, told)
        one, other = (locate(city.app, connection, address=f"余姚路{n}号").found[0] for n in (281, 321))
        between = locate(city.app, connection, address="余姚路301号").found[0]
        assert metres_apart(one, between) + metres_apart(between, other) == pytest.approx(metres_apart(one, other), abs=1)
        both = locate(city.app, connection, address="长寿路500号", district="静安区").found
        assert [found.title[:3] for found in both[:2]] == ["静安区", "普陀区"] and both[0].confidence > both[1].confidence
        near, by = nearest(city.app, connection, lon=one.lon, lat=one.lat)
        assert near[0].title == "静安区余姚路281号" and near[0].metres == 0 and by == "本地地名库" and nearest(city.app, connection, lon=120.9, lat=31.8)[0] == []


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    server = make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def behave(server: ThreadingHTTPServer, mode: str) -> None:
    sent = urllib.request.Request(f"http://127.0.0.1:{server.server_port}/simulator/behaviour", data=json.dumps({"mode": mode}).encode(), method="PUT")
    urllib.request.urlopen(sent, timeout=5).close()


def test_an_outside_service_takes_its_place_and_its_datum_is_converted(city: Walker, service: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_GEOCODER_URL", f"http://127.0.0.1:{service.server_port}")
    outside: Any = replace(city.app, settings=replace(city.app.settings, geocoder="geocoder"))
    _, lon, lat = ROADS["余姚路"]
    with city.app.db.connect() as connection:
        told = locate(outside, connection, address="余姚路301号")
        assert (told.found[0].lon, told.found[0].lat) == pytest.approx(to_cgcs2000(lon + 301 * STEP, lat, datum="gcj02"), abs=1e-6) and not told.doubt and told.by == "地址服务"
        there, _ = nearest(outside, connection, lon=told.found[0].lon, lat=told.found[0].lat)
        assert there[0].title == "静安区余姚路301号" and there[0].metres is not None and there[0].metres < 3
        assert locate(outside, connection, address="火星路1号").found == []
        for mode in ("down", "garbled"):
            behave(service, mode)
            told = locate(outside, connection, address="余姚路301号")
            assert told.found[0].precision == "between" and told.by == "本地地名库（地址服务没有应答）"
