"""Alembic's entrance to Bounty's database; what it does stands in `bounty_ops.migrating`."""

from bounty_ops.migrating.alembic_env import run
from bounty_ops.migrating.lineage import BOUNTY

run(BOUNTY)
