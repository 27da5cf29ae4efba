"""The whole platform in one file and back: database, blobs, anchors, keys.

A backup is a tar file: ``manifest.json`` last, before it ``database.dump`` (pg_dump, custom format, one snapshot), ``blobs/…``,
``anchors.jsonl``, ``keys.sealed`` (SM4-GCM under a key from the passphrase). The manifest names each member with its SM3 and
the heads of the audit chains in the same snapshot; an HMAC-SM3 under the passphrase covers it.
"""
