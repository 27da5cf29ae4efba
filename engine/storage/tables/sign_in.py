"""Ways to sign in: dated policy, counters that hold across workers, second factors, certificates, steps that may be taken once."""
from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, LargeBinary, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

sign_in_policy = Table(
    "sign_in_policy", metadata, key(), Column("valid_from", Date, nullable=False), json("changes", comment="only what differs from the default of the deployment"),
    Column("reason", Text, nullable=False), Column("by_name", Text, nullable=False), ref("by_id", null=True), instant("at"),
    Index("ix_sign_in_policy_valid_from", "valid_from", "at"),
)

sign_in_count = Table(
    "sign_in_count", metadata, Column("kind", Text, primary_key=True), Column("subject", LargeBinary, primary_key=True, comment="SM3 of an address or a login"),
    instant("window_from", primary_key=True), Column("count", Integer, nullable=False),
)

sign_in_stranger = Table(
    "sign_in_stranger", metadata, Column("login_hash", LargeBinary, primary_key=True), Column("failures", Integer, nullable=False), Column("locks", Integer, nullable=False),
    instant("locked_until", null=True), instant("at"), comment="logins that nobody has are counted and locked like those that somebody has",
)

password_history = Table(
    "password_history", metadata, key(), ref("account_id", "account.id"), Column("password_hash", Text, nullable=False), instant("at"),
    Index("ix_password_history_account_id", "account_id", "at"),
)

second_factor = Table(
    "second_factor", metadata, ref("account_id", "account.id", primary_key=True), Column("secret", LargeBinary, nullable=False, comment="SM4-GCM"),
    instant("at"), instant("confirmed_at", null=True), Column("last_step", BigInteger, nullable=False, server_default="0", comment="a code of this or an earlier half minute is not taken again"),
)

recovery_code = Table(
    "recovery_code", metadata, key(), ref("account_id", "account.id", index=True), Column("code_hash", LargeBinary, nullable=False), instant("at"), instant("used_at", null=True),
)

sign_in_certificate = Table(
    "sign_in_certificate", metadata, key(), ref("account_id", "account.id", index=True), Column("print", LargeBinary, nullable=False, unique=True, comment="SM3 of the DER"),
    Column("der", LargeBinary, nullable=False), Column("name", Text, nullable=False), Column("issuer", Text, nullable=False), Column("serial", Text, nullable=False),
    instant("valid_until"), instant("at"), Column("by_name", Text, nullable=False), instant("revoked_at", null=True), Column("revoked_why", Text, nullable=False, server_default=""),
)

sign_in_step = Table(
    "sign_in_step", metadata, Column("token_hash", LargeBinary, primary_key=True), Column("kind", Text, nullable=False, comment="certificate, second, openid"),
    json("detail"), instant("expires_at"), Column("tries", Integer, nullable=False, server_default="0"), Index("ix_sign_in_step_expires_at", "expires_at"),
)
