"""Audit entries are found by their address and their request

Revision: 0013, after 0012
Created: 2026-11-24
"""

from __future__ import annotations

from alembic import op
revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.create_index('ix_audit_entries_address', ['address', 'created_at', 'id'], unique=False)
        batch_op.create_index('ix_audit_entries_request', ['request_id', 'created_at', 'id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_entries_request')
        batch_op.drop_index('ix_audit_entries_address')
