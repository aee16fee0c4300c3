"""Idempotency keys of the API

Revision: 0012, after 0011
Created: 2026-11-24
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def _exact(length: int) -> sa.String:
    exact = mysql.VARCHAR(charset='utf8mb4', collation='utf8mb4_bin', length=length)
    return sa.String(length=length).with_variant(exact, 'mysql', 'mariadb')


def _moment() -> sa.DateTime:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')


def upgrade() -> None:
    op.create_table('idempotency_keys',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('caller', _exact(64), nullable=False),
    sa.Column('key', _exact(128), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('answer', sa.Text().with_variant(mysql.LONGTEXT(), 'mysql', 'mariadb'), nullable=True),
    sa.Column('created_at', _moment(), nullable=False),
    sa.Column('expires_at', _moment(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_idempotency_keys')),
    sa.UniqueConstraint('caller', 'key', name=op.f('uq_idempotency_keys_caller_key')),
    )
    with op.batch_alter_table('idempotency_keys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_idempotency_keys_expires_at'), ['expires_at'], unique=False)


def downgrade() -> None:
    op.drop_table('idempotency_keys')
