"""Which column of a file was chosen for which field, so that the next file is read alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("projects", sa.Column("mapped", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("projects", "mapped")
