"""Teaches asn1crypto the object identifiers of the national algorithms (GM/T 0006). Importing this module is enough."""
from __future__ import annotations

from asn1crypto.algos import DigestAlgorithmId, SignedDigestAlgorithmId
from asn1crypto.keys import NamedCurve

SM3 = "1.2.156.10197.1.401"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
SM2_CURVE = "1.2.156.10197.1.301"

DigestAlgorithmId._map[SM3] = "sm3"
SignedDigestAlgorithmId._map[SM2_WITH_SM3] = "sm2_sm3"
SignedDigestAlgorithmId._reverse_map["sm2_sm3"] = SM2_WITH_SM3
if SM2_CURVE not in NamedCurve._map:
    NamedCurve.register("sm2p256v1", SM2_CURVE, 32)
