"""What users and administrators share: codes, sessions, devices, second factors, tokens, limits, one-time links."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.audit.service import Party
from webapp.database import (
    Base,
    UTCDateTime,
    created_at_column,
    exact_string,
    long_text,
    public_id_column,
)
from webapp.database.sealed import SealedText
from webapp.identity import rules
from webapp.identity.rules import Realm


class VerificationCode(Base):
    """A code that was mailed, or would have been: only a keyed hash of it is kept."""

    __tablename__ = "verification_codes"
    __table_args__ = (Index("ix_verification_codes_address", "address", "purpose", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    purpose: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(exact_string(rules.EMAIL_MAX_LENGTH))
    code_hash: Mapped[str] = mapped_column(exact_string(64))
    tries_left: Mapped[int] = mapped_column(Integer, default=rules.CODE_TRIES)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class LoginSession(Base):
    """Somebody signed in on a device. The row decides whether that still holds, not the cookie."""

    __tablename__ = "login_sessions"
    __table_args__ = (Index("ix_login_sessions_subject", "realm", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    token_hash: Mapped[str] = mapped_column(exact_string(64), unique=True)
    realm: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int] = mapped_column(Integer)
    user_agent: Mapped[str] = mapped_column(String(rules.USER_AGENT_LENGTH), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[dt.datetime] = created_at_column()
    last_seen_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    reauthenticated_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class SignIn(Base):
    """Somebody tried to sign in. Without a subject, nobody of that name was known."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index("ix_sign_ins_subject", "realm", "subject_id", "created_at", "id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    realm: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int | None] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(24))
    new_device: Mapped[bool] = mapped_column(default=False)
    user_agent: Mapped[str] = mapped_column(String(rules.USER_AGENT_LENGTH), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)


class KnownDevice(Base):
    """A browser in which somebody has signed in; it holds a long-lived random token, of which this is the hash."""

    __tablename__ = "known_devices"
    __table_args__ = (
        UniqueConstraint("token_hash", "realm", "subject_id"),
        Index("ix_known_devices_subject", "realm", "subject_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    realm: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int] = mapped_column(Integer)
    token_hash: Mapped[str] = mapped_column(exact_string(64))
    user_agent: Mapped[str] = mapped_column(String(rules.USER_AGENT_LENGTH), default="")
    created_at: Mapped[dt.datetime] = created_at_column()
    last_seen_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)


class SecondFactor(Base):
    """The secret of somebody's authenticator app; it counts once confirmed. `last_step` is the last code's time."""

    __tablename__ = "second_factors"
    __table_args__ = (UniqueConstraint("realm", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    realm: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int] = mapped_column(Integer)
    secret: Mapped[str] = mapped_column(SealedText())
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[dt.datetime] = created_at_column()
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class RecoveryCode(Base):
    """A code that stands in for the authenticator app, once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("realm", "subject_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    realm: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int] = mapped_column(Integer)
    code_hash: Mapped[str] = mapped_column(exact_string(64))
    created_at: Mapped[dt.datetime] = created_at_column()
    used_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class ApiToken(Base):
    """A key by which a program acts for a user. `scopes` and `networks` are separated by spaces."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index("ix_api_tokens_subject", "realm", "subject_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    realm: Mapped[str] = mapped_column(String(16), default=Realm.USER.value)
    subject_id: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(rules.TOKEN_NAME_LENGTH))
    token_hash: Mapped[str] = mapped_column(exact_string(64), unique=True)
    hint: Mapped[str] = mapped_column(String(8))
    scopes: Mapped[str] = mapped_column(String(200))
    networks: Mapped[str] = mapped_column(String(rules.TOKEN_NETWORKS * 44), default="")
    created_at: Mapped[dt.datetime] = created_at_column()
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    last_used_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    last_used_address: Mapped[str] = mapped_column(String(64), default="")
    refused_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    def audit_party(self) -> Party:
        """Return how the audit log names this token."""
        return Party("token", self.public_id, self.name)

    @property
    def scope_names(self) -> tuple[str, ...]:
        """What it may be used for."""
        return tuple(self.scopes.split())

    @property
    def network_names(self) -> tuple[str, ...]:
        """From where it may be used; empty means from anywhere."""
        return tuple(self.networks.split())


class Throttle(Base):
    """How often one key was tried in vain, and until when it is not to be tried again.

    The key is a hash: what a stranger types as a name may be a password. Where it was the name of an account, the
    account is in `subject_id`.
    """

    __tablename__ = "throttles"
    __table_args__ = (
        UniqueConstraint("realm", "kind", "key_hash"),
        Index("ix_throttles_subject", "realm", "subject_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    realm: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(exact_string(64))
    subject_id: Mapped[int | None] = mapped_column(Integer)
    address: Mapped[str] = mapped_column(String(64), default="")
    failures: Mapped[int] = mapped_column(Integer, default=0)
    blocked_until: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, index=True)
    updated_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)


class OneTimeLink(Base):
    """Something that whoever holds a random token may do once, until it expires. `data` is JSON."""

    __tablename__ = "one_time_links"
    __table_args__ = (Index("ix_one_time_links_subject", "realm", "subject_id", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32))
    realm: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int] = mapped_column(Integer)
    token_hash: Mapped[str] = mapped_column(exact_string(64), unique=True)
    data: Mapped[str] = mapped_column(long_text(), default="{}")
    created_at: Mapped[dt.datetime] = created_at_column()
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    used_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
