"""Certificates that openssl accepts, and a key ring that is made once."""
from __future__ import annotations

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.kernel.gm import KeyRing, SealBroken, sm2_generate
from engine.kernel.gm.certificates import CertificateInvalid, check_issued, read_certificate, to_pem
from engine.kernel.gm.keyring import KeyFileUnsafe

FROM, UNTIL = datetime(2025, 7, 1, tzinfo=UTC), datetime(2027, 6, 30, tzinfo=UTC)


def leaf(ring: KeyRing) -> bytes:
    return ring.issue_certificate(
        public=sm2_generate().public, name="执法专用章", organisation="上海市云浦区市场监督管理局", valid_from=FROM, valid_until=UNTIL
    )


def test_openssl_verifies_the_chain_with_the_chinese_name(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    (tmp_path / "root.pem").write_text(to_pem(ring.root.certificate, "CERTIFICATE"))
    (tmp_path / "leaf.pem").write_text(to_pem(leaf(ring), "CERTIFICATE"))
    day = str(int((FROM + timedelta(days=9)).timestamp()))
    check = ["openssl", "verify", "-x509_strict", "-vfyopt", "distid:1234567812345678", "-attime", day]
    done = subprocess.run([*check, "-CAfile", "root.pem", "leaf.pem"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "leaf.pem: OK", done.stderr
    shown = subprocess.run(
        ["openssl", "x509", "-in", "leaf.pem", "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )
    assert "上海市云浦区市场监督管理局" in shown.stdout


def test_facts_are_read_back(tmp_path: Path) -> None:
    facts = read_certificate(leaf(KeyRing(tmp_path)))
    assert (facts.name, facts.organisation, facts.is_authority) == ("执法专用章", "上海市云浦区市场监督管理局", False)
    assert (facts.valid_from, facts.valid_until, len(facts.public)) == (FROM, UNTIL, 65)


def test_a_leaf_of_another_root_out_of_date_or_altered_is_refused(tmp_path: Path) -> None:
    ring, other = KeyRing(tmp_path / "a"), KeyRing(tmp_path / "b")
    der = leaf(ring)
    assert check_issued(der, root=ring.root.certificate, at=FROM).name == "执法专用章"
    altered = der.replace("云浦区".encode(), "云浦县".encode())
    assert altered != der
    ours = ring.root.certificate
    for wrong, root, at in (
        (der, other.root.certificate, FROM), (der, ours, UNTIL + timedelta(seconds=1)), (altered, ours, FROM), (ours, ours, FROM),
        (b"junk", ours, FROM),
    ):
        with pytest.raises(CertificateInvalid):
            check_issued(wrong, root=root, at=at)


def test_keys_are_made_once_even_by_processes_that_start_together(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: KeyRing(tmp_path), range(8)))
    assert len({(r.data_key, r.index_key, r.root.private, r.root.certificate) for r in rings}) == 1
    files = sorted((tmp_path / "keys").iterdir())
    assert [f.name for f in files] == ["access.key", "commit.key", "data_1.key", "index.key", "root_ca.pem"]
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_renewed_data_key_still_opens_old_texts(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    old = ring.encrypt(b"old", b"x")
    assert ring.renew_data_key().version == 2
    new = KeyRing(tmp_path).encrypt(b"new", b"x")
    assert (old[0], new[0]) == (1, 2)
    assert (ring.decrypt(old, b"x"), ring.decrypt(new, b"x")) == (b"old", b"new")
    with pytest.raises(SealBroken, match="不在本机"):
        ring.decrypt(b"\x09" + old[1:], b"x")


def test_a_key_file_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    KeyRing(tmp_path)
    (tmp_path / "keys" / "index.key").chmod(0o644)
    with pytest.raises(KeyFileUnsafe, match="chmod 600"):
        KeyRing(tmp_path).index_key


def test_an_index_is_the_same_for_the_same_data_and_hides_it(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    assert ring.index(b"91310199MA00003179") == KeyRing(tmp_path).index(b"91310199MA00003179") != ring.index(b"91310199MA00003178")
