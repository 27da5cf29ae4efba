"""Settings come from the environment, once, at start."""
from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEMO_PASSWORD = "Guicheng-2026"  # noqa: S105 the one password of the demo city; printed at every start and filled in on its login page


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a deployment may choose. ``from_environment`` reads the names in brackets.

    database_url   [DATABASE_URL]    postgresql://…, PostgreSQL 15–18
    data_dir       [GUICHENG_DATA]   blobs, keys, embedded database; outside the checkout by default
    public_url     [PUBLIC_URL]      what stands in QR codes and links, may carry a sub-path
    content_root   [GUICHENG_ROOT]   folder that holds processes/ forms/ handlers/ integrations/ devices/
    host, port     [HOST, PORT]      loopback by default
    secret_key     file ``secret_key`` in data_dir, made at first start
    environment    [GUICHENG_ENV]    "demo" (default), "production" or "test"
    vault          [GUICHENG_CRYPTO] where private keys live: "file" (default), "socket:/path" or "socket:host:port" of a device
    map_tiles      [GUICHENG_TILES]  address of map tiles in CGCS2000/Web Mercator with {z} {x} {y}, such as a tile server of the intranet; none by default
    map_note       [GUICHENG_TILES_NOTE] the line below the map that names who made the tiles
    geocoder       [GUICHENG_GEOCODER] the connector that addresses are looked up with, such as "geocoder"; none by default: the local gazetteer
    release_policy [GUICHENG_RELEASE] what a changed program file does at start: "warn" (default) or "refuse"
    proxies        [GUICHENG_PROXIES] addresses or networks, comma-separated, whose X-Forwarded-For is believed; none by default
    syslog         [GUICHENG_SYSLOG] log server to which the trail goes every minute: udp://host:514 or tcp://host:601 (RFC 5424); none by default
    hosts          [GUICHENG_HOSTS] names that requests may be addressed to, comma-separated; by default in production those of public_url and this machine, else any
    tls_certificate, tls_key [GUICHENG_TLS_CERT, GUICHENG_TLS_KEY] PEM files with which the web server itself speaks HTTPS (TLS 1.3); none by default
    virus_scanner  [GUICHENG_CLAMD] clamd that looks at every uploaded file: unix:/path or host:port; none by default
    host_files     [GUICHENG_HOST_FILES] logs and access files of the server whose digests go into the trail every hour, comma-separated patterns
    two_people     [GUICHENG_TWO_PEOPLE] "yes" (default) or "no": the gravest administrative acts are done only after a second person approved them
    directories    file ``sign_in.json`` in data_dir: OpenID Connect and LDAP (docs/security.md); off without it
    """

    database_url: str
    data_dir: Path
    public_url: str = "http://127.0.0.1:8000"
    content_root: Path = ROOT
    host: str = "127.0.0.1"
    port: int = 8000
    secret_key: bytes = field(default=b"", repr=False)
    environment: str = "demo"
    vault: str = "file"
    release_policy: str = "warn"
    proxies: tuple[str, ...] = ()
    only_packs: tuple[str, ...] | None = None
    map_tiles: str = ""
    map_note: str = ""
    syslog: str = ""
    geocoder: str = ""
    hosts: tuple[str, ...] = ()
    tls_certificate: str = ""
    tls_key: str = ""
    virus_scanner: str = ""
    host_files: tuple[str, ...] = ()
    two_people: bool = False

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        env = os.environ if env is None else env
        data_dir = Path(env.get("GUICHENG_DATA", "/var/lib/guicheng"))
        port = int(env.get("PORT", "8000"))
        key_file = data_dir / "secret_key"
        return cls(
            database_url=env.get("DATABASE_URL", ""),
            data_dir=data_dir,
            public_url=env.get("PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/"),
            content_root=Path(env.get("GUICHENG_ROOT", str(ROOT))),
            host=env.get("HOST", "127.0.0.1"),
            port=port,
            secret_key=key_file.read_bytes() if key_file.exists() else b"",
            environment=env.get("GUICHENG_ENV", "demo"),
            vault=env.get("GUICHENG_CRYPTO", "file"),
            map_tiles=env.get("GUICHENG_TILES", ""),
            map_note=env.get("GUICHENG_TILES_NOTE", ""),
            geocoder=env.get("GUICHENG_GEOCODER", ""),
            syslog=env.get("GUICHENG_SYSLOG", ""),
            release_policy=env.get("GUICHENG_RELEASE", "warn"),
            proxies=_listed(env.get("GUICHENG_PROXIES", "")),
            hosts=_listed(env.get("GUICHENG_HOSTS", "").lower()),
            tls_certificate=env.get("GUICHENG_TLS_CERT", ""),
            tls_key=env.get("GUICHENG_TLS_KEY", ""),
            virus_scanner=env.get("GUICHENG_CLAMD", ""),
            two_people=env.get("GUICHENG_TWO_PEOPLE", "yes") != "no",
            host_files=_listed(env.get("GUICHENG_HOST_FILES", "")),
        )

    @property
    def sqlalchemy_url(self) -> str:
        """The database address for SQLAlchemy's psycopg driver."""
        return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())
