"""Sample data for development: deterministic, referentially valid, of any size."""

from bounty_ops.seeding.operation import DEFAULT_SEED, SeedResult, seed
from bounty_ops.seeding.plan import MINIMUM_ROWS, plan_rows

__all__ = ["DEFAULT_SEED", "MINIMUM_ROWS", "SeedResult", "plan_rows", "seed"]
