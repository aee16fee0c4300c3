"""Calls of programs

Revision: 0010, after 0009
Created: 2026-11-24
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('running_calls',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('source', sa.String(length=40).with_variant(mysql.VARCHAR(charset='utf8mb4', collation='utf8mb4_bin', length=40), 'mariadb').with_variant(mysql.VARCHAR(charset='utf8mb4', collation='utf8mb4_bin', length=40), 'mysql'), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('model', sa.String(length=120), nullable=False),
    sa.Column('process', sa.String(length=80).with_variant(mysql.VARCHAR(charset='utf8mb4', collation='utf8mb4_bin', length=80), 'mariadb').with_variant(mysql.VARCHAR(charset='utf8mb4', collation='utf8mb4_bin', length=80), 'mysql'), nullable=False),
    sa.Column('prompt_tokens', sa.Integer(), nullable=False),
    sa.Column('lease_until', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'), nullable=False),
    sa.Column('created_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_running_calls_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_running_calls')),
    sa.UniqueConstraint('source', name=op.f('uq_running_calls_source'))
    )
    with op.batch_alter_table('running_calls', schema=None) as batch_op:
        batch_op.create_index('ix_running_calls_user', ['user_id', 'lease_until'], unique=False)

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('expires_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'), nullable=True))
        batch_op.create_index(batch_op.f('ix_conversations_expires_at'), ['expires_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_conversations_expires_at'))
        batch_op.drop_column('expires_at')

    op.drop_table('running_calls')
