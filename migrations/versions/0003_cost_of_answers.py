"""What answers cost

Revision: 0003, after 0002
Created: 2026-11-24
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('usage_entries', schema=None) as batch_op:
        batch_op.add_column(sa.Column('cost_micros', sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('usage_entries', schema=None) as batch_op:
        batch_op.drop_column('cost_micros')
