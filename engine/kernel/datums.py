"""Coordinates of China: the three datums told apart, and metres on the plane.

Stored coordinates are CGCS2000 longitude and latitude in degrees; WGS84 equals it to a few centimetres. GCJ-02 (高德、腾讯、
手机上的国内地图) is shifted by up to 700 m, BD-09 (百度) a little further. Metres are EPSG:4549, CGCS2000 / 3-degree
Gauss-Kruger CM 120E, by the series of Krüger to the fourth order (a millimetre within 3 degrees of the meridian).
"""
from __future__ import annotations

from collections.abc import Mapping
from math import atan2, atanh, cos, cosh, pi, radians, sin, sinh, sqrt

DATUMS: Mapping[str, str] = {"cgcs2000": "CGCS2000（WGS84，GPS）", "gcj02": "GCJ-02（高德、腾讯）", "bd09": "BD-09（百度）"}
WEST, SOUTH, EAST, NORTH = 73.0, 3.0, 136.0, 54.0
"""The box that coordinates must lie in."""
_A, _EE = 6378245.0, 0.00669342162296594323
_AXIS, _FLATTENING, MERIDIAN, FALSE_EASTING = 6378137.0, 1 / 298.257222101, 120.0, 500_000.0
_N = _FLATTENING / (2 - _FLATTENING)
RECTIFYING = _AXIS / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
ECCENTRIC = 2 * sqrt(_N) / (1 + _N)
ALPHA = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16 + 41 * _N**4 / 180, 13 * _N**2 / 48 - 3 * _N**3 / 5 + 557 * _N**4 / 1440,
    61 * _N**3 / 240 - 103 * _N**4 / 140, 49561 * _N**4 / 161280,
)


def to_cgcs2000(lon: float, lat: float, *, datum: str) -> tuple[float, float]:
    """(longitude, latitude) of a place that ``datum`` calls (lon, lat); raises KeyError for a datum that is none of ``DATUMS``."""
    if datum == "bd09":
        lon, lat = _bd_to_gcj(lon, lat)
    elif datum != "gcj02":
        DATUMS[datum]
        return lon, lat
    found = lon, lat
    for _ in range(6):
        there = to_gcj02(*found)
        found = found[0] + lon - there[0], found[1] + lat - there[1]
    return found


def to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """What GCJ-02 calls a place of CGCS2000."""
    x, y = lon - 105.0, lat - 35.0
    wave = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + wave
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3 + (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + wave
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3 + (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    root = 1 - _EE * sin(radians(lat)) ** 2
    return lon + east * 180 / (_A / sqrt(root) * cos(radians(lat)) * pi), lat + north * 180 / (_A * (1 - _EE) / (root * sqrt(root)) * pi)


def to_bd09(lon: float, lat: float) -> tuple[float, float]:
    """What BD-09 calls a place of CGCS2000."""
    x, y = to_gcj02(lon, lat)
    far, turn = sqrt(x * x + y * y) + 0.00002 * sin(y * pi * 3000 / 180), atan2(y, x) + 0.000003 * cos(x * pi * 3000 / 180)
    return far * cos(turn) + 0.0065, far * sin(turn) + 0.006


def _bd_to_gcj(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 0.0065, lat - 0.006
    far, turn = sqrt(x * x + y * y) - 0.00002 * sin(y * pi * 3000 / 180), atan2(y, x) - 0.000003 * cos(x * pi * 3000 / 180)
    return far * cos(turn), far * sin(turn)


def to_metres(lon: float, lat: float) -> tuple[float, float]:
    """(east, north) in metres of EPSG:4549; the database function ``gc_metres`` is the same."""
    high, turn = sin(radians(lat)), radians(lon - MERIDIAN)
    t = sinh(atanh(high) - ECCENTRIC * atanh(ECCENTRIC * high))
    xi, eta = atan2(t, cos(turn)), atanh(sin(turn) / sqrt(1 + t * t))
    east = eta + sum(a * cos(2 * j * xi) * sinh(2 * j * eta) for j, a in enumerate(ALPHA, start=1))
    north = xi + sum(a * sin(2 * j * xi) * cosh(2 * j * eta) for j, a in enumerate(ALPHA, start=1))
    return FALSE_EASTING + RECTIFYING * east, RECTIFYING * north


def within_china(lon: float, lat: float) -> bool:
    return WEST <= lon <= EAST and SOUTH <= lat <= NORTH
