"""Scheduled prompts, and tasks that an administrator holds

Revision: 0015, after 0014
Created: 2026-11-24
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def exact(length: int) -> sa.String:
    return sa.String(length=length).with_variant(
        mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length), "mysql", "mariadb"
    )


def moment() -> sa.DateTime:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def refers(table: str, column: str, to: str, gone: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete=gone
    )


def upgrade() -> None:
    # Not in a batch: on SQLite that would make the table anew, and runs would go with the old one.
    op.add_column("tasks", sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "scheduled_prompts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", exact(22), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb"), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("destination", sa.String(length=16), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=True),
        sa.Column("mail", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        refers("scheduled_prompts", "conversation_id", "conversations", "SET NULL"),
        refers("scheduled_prompts", "task_id", "tasks", "CASCADE"),
        refers("scheduled_prompts", "user_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_prompts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_scheduled_prompts_public_id")),
        sa.UniqueConstraint("task_id", name=op.f("uq_scheduled_prompts_task_id")),
    )
    with op.batch_alter_table("scheduled_prompts", schema=None) as batch_op:
        for column in ("conversation_id", "user_id"):
            batch_op.create_index(batch_op.f(f"ix_scheduled_prompts_{column}"), [column], unique=False)
    op.create_table(
        "prompt_runs",
        sa.Column(
            "run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("prompt_id", sa.Integer(), nullable=False),
        sa.Column("answer_id", sa.Integer(), nullable=True),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("problem", exact(40), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", moment(), nullable=True),
        refers("prompt_runs", "answer_id", "messages", "SET NULL"),
        refers("prompt_runs", "prompt_id", "scheduled_prompts", "CASCADE"),
        refers("prompt_runs", "run_id", "task_runs", "CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_prompt_runs")),
    )
    with op.batch_alter_table("prompt_runs", schema=None) as batch_op:
        for column in ("answer_id", "prompt_id"):
            batch_op.create_index(batch_op.f(f"ix_prompt_runs_{column}"), [column], unique=False)


def downgrade() -> None:
    op.drop_table("prompt_runs")
    op.drop_table("scheduled_prompts")
    op.execute(sa.text("DELETE FROM tasks WHERE func_name = 'scheduled_prompt'"))
    op.drop_column("tasks", "held")
