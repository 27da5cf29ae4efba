"""Places for connectors: the port of address services, and datums."""
from engine.kernel.datums import to_bd09, to_cgcs2000, to_gcj02
from engine.reference.locating import Found, Geocoder, metres_apart

__all__ = ["Found", "Geocoder", "metres_apart", "to_bd09", "to_cgcs2000", "to_gcj02"]
