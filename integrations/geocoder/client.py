"""The client of an address service: the same port as the local gazetteer; what it tells in another datum is converted."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.sdk import BusinessError, ConnectorConfig, connector
from engine.sdk.json_http import JsonHttp
from engine.sdk.places import Found, Geocoder, metres_apart, to_bd09, to_cgcs2000, to_gcj02
from integrations.geocoder.messages import Answer

DIGITS = 7


class HttpGeocoder:
    """Speaks the standard contract, version 1. Option ``datum``: the datum in which the service wants to be asked (cgcs2000)."""

    def __init__(self, config: ConnectorConfig) -> None:
        self.title = "模拟地址服务" if config.simulated else "地址服务"
        self._http = JsonHttp(config, title="地址服务", refused="not_understood")
        self._datum = str(config.options.get("datum", "cgcs2000"))

    def locate(self, address: str, *, district: str = "") -> Sequence[Found]:
        try:
            answer = self._http.get("/locate", Answer.read, address=address, district=district)
        except BusinessError:
            return []
        return sorted(_found(answer), key=lambda one: -one.confidence)

    def nearest(self, lon: float, lat: float) -> Sequence[Found]:
        here = Found(title="", lon=lon, lat=lat, confidence=1, precision="place")
        if self._datum != "cgcs2000":
            lon, lat = (to_gcj02 if self._datum == "gcj02" else to_bd09)(lon, lat)
        answer = self._http.get("/nearest", Answer.read, lon=f"{lon:.7f}", lat=f"{lat:.7f}", datum=self._datum)
        return sorted((replace(one, metres=round(metres_apart(one, here), 1)) for one in _found(answer)), key=lambda one: one.metres or 0)


def _found(answer: Answer) -> list[Found]:
    made = []
    for one in answer.candidates:
        lon, lat = to_cgcs2000(one.lon, one.lat, datum=answer.datum)
        made.append(Found(title=one.title, lon=round(lon, DIGITS), lat=round(lat, DIGITS), confidence=one.confidence, precision=one.precision))
    return made


@connector(title="地址服务")
def make_client(config: ConnectorConfig) -> Geocoder:
    """The client of the configured service, real or simulated."""
    return HttpGeocoder(config)
