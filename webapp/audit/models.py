"""The audit log and the head of its chain."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.audit import rules
from webapp.database import Base, UTCDateTime, exact_string, long_text, public_id_column


class AuditEntry(Base):
    """One thing that was done. `seal` begins as its mark; `seal_number` and the true seal come later, in order.

    `before` and `after` are JSON objects of what changed; secrets in them are masked before they get here.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_newest", "created_at", "id"),
        Index("ix_audit_entries_event", "event", "created_at", "id"),
        Index("ix_audit_entries_actor", "actor_kind", "actor_id", "created_at", "id"),
        Index("ix_audit_entries_target", "target_kind", "target_id", "created_at", "id"),
        Index("ix_audit_entries_address", "address", "created_at", "id"),
        Index("ix_audit_entries_request", "request_id", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    public_id: Mapped[str] = public_id_column()
    event: Mapped[str] = mapped_column(exact_string(40))
    actor_kind: Mapped[str] = mapped_column(String(rules.KIND_LENGTH))
    actor_id: Mapped[str] = mapped_column(exact_string(64), default="")
    actor_name: Mapped[str] = mapped_column(String(rules.NAME_LENGTH), default="")
    target_kind: Mapped[str] = mapped_column(String(rules.KIND_LENGTH), default="")
    target_id: Mapped[str] = mapped_column(exact_string(64), default="")
    target_name: Mapped[str] = mapped_column(String(rules.NAME_LENGTH), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    request_id: Mapped[str] = mapped_column(exact_string(64), default="")
    before: Mapped[str] = mapped_column(long_text(), default="{}")
    after: Mapped[str] = mapped_column(long_text(), default="{}")
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    seal_number: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), unique=True)
    seal: Mapped[str | None] = mapped_column(exact_string(64))


class AuditChain(Base):
    """Where the chain begins and ends: one row, id 1, locked by whoever seals or prunes.

    `first_seal` is the seal of the last entry that retention removed, from which the oldest one left goes on.
    """

    __tablename__ = "audit_chain"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), default=0)
    first_seal: Mapped[str] = mapped_column(exact_string(64), default="")
    last_number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), default=0)
    last_seal: Mapped[str] = mapped_column(exact_string(64), default="")
    signature: Mapped[str] = mapped_column(exact_string(64), default="", server_default="")
