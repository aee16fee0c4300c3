"""What the overview counts

Revision: 0009, after 0008
Created: 2026-11-24
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('usage_entries', schema=None) as batch_op:
        batch_op.add_column(sa.Column('first_token_ms', sa.Integer(), nullable=True))
        batch_op.create_index('ix_usage_entries_figures', ['created_at', 'ending', 'model', 'user_id', 'prompt_tokens', 'completion_tokens', 'cost_micros', 'first_token_ms'], unique=False)
    with op.batch_alter_table('generations', schema=None) as batch_op:
        batch_op.create_index('ix_generations_ended', ['state', 'finished_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('generations', schema=None) as batch_op:
        batch_op.drop_index('ix_generations_ended')
    with op.batch_alter_table('usage_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_usage_entries_figures')
        batch_op.drop_column('first_token_ms')
