"""Lists of mail and codes, announcements

Revision: 0007, after 0006
Created: 2026-11-24
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MAIL_INDEXES = {
    "newest": ["created_at", "id"],
    "state": ["state", "created_at", "id"],
    "address": ["to_address", "created_at", "id"],
}


def exact(length: int) -> sa.String:
    return sa.String(length=length).with_variant(
        mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length), "mysql", "mariadb"
    )


def moment() -> sa.DateTime:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def long_text() -> sa.Text:
    return sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    for name, columns in MAIL_INDEXES.items():
        op.create_index(f"ix_mail_outbox_{name}", "mail_outbox", columns)
    with op.batch_alter_table("verification_codes") as batch_op:
        batch_op.add_column(sa.Column("public_id", exact(22), nullable=True))
    give_public_ids()
    with op.batch_alter_table("verification_codes") as batch_op:
        batch_op.alter_column("public_id", existing_type=exact(22), nullable=False)
        batch_op.create_unique_constraint(op.f("uq_verification_codes_public_id"), ["public_id"])
    op.create_table(
        "announcements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", exact(22), nullable=False),
        sa.Column("text_en", long_text(), nullable=False),
        sa.Column("text_zh", long_text(), nullable=False),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("starts_at", moment(), nullable=False),
        sa.Column("ends_at", moment(), nullable=True),
        sa.Column("author_name", sa.String(120), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("updated_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
        sa.UniqueConstraint("public_id", name=op.f("uq_announcements_public_id")),
    )
    op.create_index("ix_announcements_newest", "announcements", ["created_at", "id"])
    op.create_index("ix_announcements_time", "announcements", ["starts_at", "ends_at"])
    op.create_table(
        "announcement_dismissals",
        sa.Column("announcement_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("realm", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dismissed_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement_id"],
            ["announcements.id"],
            name=op.f("fk_announcement_dismissals_announcement_id_announcements"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "announcement_id", "realm", "subject_id", name=op.f("pk_announcement_dismissals")
        ),
    )


def downgrade() -> None:
    op.drop_table("announcement_dismissals")
    op.drop_table("announcements")
    with op.batch_alter_table("verification_codes") as batch_op:
        batch_op.drop_constraint(op.f("uq_verification_codes_public_id"), type_="unique")
        batch_op.drop_column("public_id")
    for name in MAIL_INDEXES:
        op.drop_index(f"ix_mail_outbox_{name}", "mail_outbox")


def give_public_ids() -> None:
    codes = sa.table("verification_codes", sa.column("id"), sa.column("public_id"))
    connection = op.get_bind()
    numbers = connection.scalars(sa.select(codes.c.id)).all()
    if numbers:
        connection.execute(
            sa.update(codes).where(codes.c.id == sa.bindparam("row")).values(public_id=sa.bindparam("name")),
            [{"row": number, "name": secrets.token_urlsafe(16)} for number in numbers],
        )
