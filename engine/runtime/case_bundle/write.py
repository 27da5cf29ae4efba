"""Packs members into one zip file, names each with its SM3 in a manifest, signs the manifest."""
from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.kernel.gm import KeyRing, sm3_hex
from engine.kernel.gm.certificates import to_pem
from engine.runtime.case_bundle.collect import dump

FORMAT = "guicheng-case-bundle-1"
MANIFEST, SIGNATURE, ROOT = "manifest.json", "manifest.sig.json", "root.pem"
_STORED = (".pdf", ".jpg", ".png")


def write_bundle(target: Path, members: Iterable[tuple[str, bytes]], *, facts: Mapping[str, Any], keys: KeyRing) -> None:
    """Write the file; ``facts`` (case, who, why, when) stand in the manifest."""
    listed: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in members:
            _add(archive, name, data)
            listed[name] = {"sm3": sm3_hex(data), "size": len(data)}
        signer = keys.signer("bundle")
        root = to_pem(keys.root.certificate, "CERTIFICATE").encode()
        _add(archive, ROOT, root)
        listed[ROOT] = {"sm3": sm3_hex(root), "size": len(root)}
        manifest = dump({"format": FORMAT, **facts, "members": listed})
        _add(archive, MANIFEST, manifest)
        _add(archive, SIGNATURE, dump({"certificate": signer.certificate.hex(), "signature": signer.sign(manifest).hex(), "algorithm": "SM2 with SM3"}))


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) or name.startswith("attachments/") else zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    archive.writestr(info, data)
