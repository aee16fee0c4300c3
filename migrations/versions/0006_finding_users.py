"""Finding users: when they were seen, whether their address is verified, and the words they are found by

Revision: 0006, after 0005
Created: 2026-11-24
"""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH = 500
NEVER = "1970-01-01 00:00:01"
WORD = re.compile(r"[^\W_]+", re.UNICODE)


def exact(length: int) -> sa.String:
    return sa.String(length=length).with_variant(
        mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length), "mysql", "mariadb"
    )


def moment() -> sa.DateTime:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "user_words",
        sa.Column("word", exact(64), nullable=False),
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_words_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word", "user_id", name=op.f("pk_user_words")),
    )
    op.create_index(op.f("ix_user_words_user_id"), "user_words", ["user_id"])
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_seen_at", moment(), nullable=False, server_default=NEVER))
        batch_op.add_column(sa.Column("verified_at", moment(), nullable=True))
        batch_op.add_column(sa.Column("sort_name", exact(60), nullable=False, server_default=""))
    op.execute(
        sa.text("UPDATE users SET verified_at = created_at, last_seen_at = COALESCE(last_login_at, last_seen_at)")
    )
    fill_words()
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index("ix_users_seen", ["last_seen_at", "id"])
        batch_op.create_index("ix_users_joined", ["created_at", "id"])
        batch_op.create_index("ix_users_name", ["sort_name", "id"])
        batch_op.create_index("ix_users_email", ["email_canonical", "id"])
        batch_op.create_index("ix_users_state_seen", ["state", "last_seen_at", "id"])
        batch_op.create_index("ix_users_state_joined", ["state", "created_at", "id"])
        batch_op.create_index("ix_users_verified", ["verified_at", "last_seen_at", "id"])


def downgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        for name in ("verified", "state_joined", "state_seen", "email", "name", "joined", "seen"):
            batch_op.drop_index(f"ix_users_{name}")
        batch_op.drop_column("sort_name")
        batch_op.drop_column("verified_at")
        batch_op.drop_column("last_seen_at")
    op.drop_table("user_words")


def fill_words() -> None:
    """Write what the accounts there already are found and sorted by; as webapp.accounts.words does for new ones."""
    users = sa.table(
        "users", *(sa.column(name) for name in ("id", "display_name", "username", "email", "sort_name"))
    )
    words = sa.table("user_words", sa.column("word"), sa.column("user_id"))
    connection, last = op.get_bind(), 0
    while rows := connection.execute(
        sa.select(users.c["id", "display_name", "username", "email"])
        .where(users.c.id > last)
        .order_by(users.c.id)
        .limit(BATCH)
    ).all():
        last = rows[-1].id
        connection.execute(
            sa.update(users).where(users.c.id == sa.bindparam("row")).values(sort_name=sa.bindparam("name")),
            [{"row": row.id, "name": folded(row.display_name)[:60]} for row in rows],
        )
        found = [
            {"word": word, "user_id": row.id}
            for row in rows
            for word in sorted(words_of(row.display_name, row.username, row.email))
        ]
        if found:
            connection.execute(sa.insert(words), found)


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def words_of(*texts: str) -> set[str]:
    found = set()
    for text in texts:
        for word in WORD.findall(folded(text)):
            found.add(word[:64])
            found.update(
                word[start : start + 64]
                for start, sign in enumerate(word)
                if start and unicodedata.east_asian_width(sign) in {"W", "F"}
            )
    return found
