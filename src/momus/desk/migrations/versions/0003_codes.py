"""Which codes an assignment is about, links for new passwords, and how jobs are taken in turn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from momus.desk.seen import codes_of

revision = "0003"
down_revision = "0002"

_BAR = """
INSERT INTO barred (assignment_id, user_id)
SELECT DISTINCT found.id, holds.user_id
FROM holds
JOIN assignments AS told ON told.id = holds.assignment_id
JOIN codes AS known ON known.assignment_id = told.id
JOIN codes AS there ON there.sha256 = known.sha256 AND there.shown
JOIN assignments AS found ON found.id = there.assignment_id
WHERE found.project_id = told.project_id AND found.id <> told.id
AND found.kind IN ('write', 'team', 'rate', 'compare', 'judge')
AND (told.kind IN ('grade', 'judge', 'recheck')
     OR (told.kind = 'rate' AND holds.first_pass IS NOT NULL)
     OR ((told.kind = 'tamper' OR told.canary) AND holds.done))
AND NOT EXISTS (SELECT 1 FROM barred AS b WHERE b.assignment_id = found.id AND b.user_id = holds.user_id)
"""


def upgrade() -> None:
    codes = op.create_table(
        "codes",
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name="fk_codes_assignment_id"),
        sa.PrimaryKeyConstraint("assignment_id", "sha256", name="pk_codes"),
    )
    op.create_index("ix_codes_sha256", "codes", ["sha256"])
    assignments = sa.table(
        "assignments",
        sa.column("id", sa.Integer()),
        sa.column("kind", sa.String()),
        sa.column("payload", sa.JSON()),
        sa.column("gold", sa.JSON()),
    )
    connection = op.get_bind()
    last = 0
    while rows := connection.execute(
        sa.select(assignments).where(assignments.c.id > last).order_by(assignments.c.id).limit(500)
    ).all():
        last = rows[-1].id
        found = [
            {"assignment_id": row.id, "sha256": sha, "shown": shown}
            for row in rows
            for sha, shown in codes_of(row.kind, row.payload, row.gold).items()
        ]
        connection.execute(sa.insert(codes), found)
    connection.execute(sa.text(_BAR))
    op.create_table(
        "resets",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("expires", sa.DateTime(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_resets_user_id"),
        sa.PrimaryKeyConstraint("hash", name="pk_resets"),
    )
    op.create_index("ix_resets_user_id", "resets", ["user_id"])
    op.add_column("jobs", sa.Column("size", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("started", sa.DateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as jobs:
        for name in ("size", "attempts", "started"):
            jobs.drop_column(name)
    op.drop_table("resets")
    op.drop_table("codes")
