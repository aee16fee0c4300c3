"""Usage added up by the day

Revision: 0014, after 0013
Created: 2026-11-24
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'), nullable=False)


def _sums() -> list[sa.Column]:
    return [
        sa.Column('answers', sa.Integer(), nullable=False),
        sa.Column('prompt_tokens', sa.BigInteger(), nullable=False),
        sa.Column('completion_tokens', sa.BigInteger(), nullable=False),
        sa.Column('cost_micros', sa.BigInteger(), nullable=False),
        sa.Column('priced', sa.Integer(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table('usage_days',
    sa.Column('id', sa.Integer(), nullable=False),
    _moment('day'),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('model', sa.String(length=120), nullable=False),
    *_sums(),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_usage_days_user_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_usage_days'))
    )
    with op.batch_alter_table('usage_days', schema=None) as batch_op:
        batch_op.create_index('ix_usage_days_day', ['day', 'user_id', 'model'], unique=False)
        batch_op.create_index(batch_op.f('ix_usage_days_user_id'), ['user_id'], unique=False)
    op.create_table('usage_hours',
    sa.Column('id', sa.Integer(), nullable=False),
    _moment('hour'),
    sa.Column('ending', sa.String(length=16), nullable=False),
    *_sums(),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_usage_hours'))
    )
    with op.batch_alter_table('usage_hours', schema=None) as batch_op:
        batch_op.create_index('ix_usage_hours_hour', ['hour', 'ending'], unique=False)
    op.create_table('usage_waits',
    sa.Column('id', sa.Integer(), nullable=False),
    _moment('hour'),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('answers', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_usage_waits'))
    )
    with op.batch_alter_table('usage_waits', schema=None) as batch_op:
        batch_op.create_index('ix_usage_waits_hour', ['hour'], unique=False)
    op.create_table('usage_rollup',
    sa.Column('id', sa.Integer(), nullable=False),
    _moment('until'),
    sa.Column('last_entry_id', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_usage_rollup'))
    )


def downgrade() -> None:
    op.drop_table('usage_rollup')
    op.drop_table('usage_waits')
    op.drop_table('usage_hours')
    op.drop_table('usage_days')
