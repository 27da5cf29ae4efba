"""Places in tables: the native ``point`` type, and the database function that projects it to metres."""
from __future__ import annotations

from typing import Any

from sqlalchemy import cast
from sqlalchemy.types import UserDefinedType

from engine.kernel.datums import ALPHA, ECCENTRIC, FALSE_EASTING, MERIDIAN, RECTIFYING

_EAST = " + ".join(f"{a!r} * cos({2 * j} * xi) * sinh({2 * j} * eta)" for j, a in enumerate(ALPHA, start=1))
_NORTH = " + ".join(f"{a!r} * sin({2 * j} * xi) * cosh({2 * j} * eta)" for j, a in enumerate(ALPHA, start=1))
METRES = f"""
CREATE OR REPLACE FUNCTION public.gc_metres(place point) RETURNS point LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  high float8 := sin(radians(place[1])); turn float8 := radians(place[0] - {MERIDIAN!r});
  t float8 := sinh(atanh(high) - {ECCENTRIC!r} * atanh({ECCENTRIC!r} * high));
  xi float8 := atan2(t, cos(turn)); eta float8 := atanh(sin(turn) / sqrt(1 + t * t));
BEGIN
  RETURN point({FALSE_EASTING!r} + {RECTIFYING!r} * (eta + {_EAST}), {RECTIFYING!r} * (xi + {_NORTH}));
END $$
"""
"""``gc_metres(lon/lat)``: metres of EPSG:4549, as ``engine.kernel.datums.to_metres``."""


class Point(UserDefinedType[dict[str, float]]):
    """``{"lon": …, "lat": …}`` in degrees of CGCS2000, stored as PostgreSQL's ``point``."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "point"

    def bind_expression(self, bindvalue: Any) -> Any:
        return cast(bindvalue, self)

    def bind_processor(self, dialect: Any) -> Any:
        return point_text

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        return read_point


class Box(UserDefinedType[str]):
    """PostgreSQL's ``box``, as text."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "box"


def point_text(value: Any) -> str | None:
    """``{"lon", "lat"}`` as PostgreSQL writes a point."""
    return None if value is None else f"({float(value['lon'])!r},{float(value['lat'])!r})"


def read_point(text: str | None) -> dict[str, float] | None:
    """A point as PostgreSQL writes it → ``{"lon", "lat"}``."""
    if text is None:
        return None
    lon, lat = text.strip("()").split(",")
    return {"lon": float(lon), "lat": float(lat)}
