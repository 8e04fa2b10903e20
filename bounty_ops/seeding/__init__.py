"""Sample data for development: deterministic, referentially valid, of any size."""

from bounty_ops.seeding.operation import DEFAULT_SEED, SeedResult, seed
from bounty_ops.seeding.plan import MINIMUM_ROWS, plan_rows
from bounty_ops.seeding.profiles import DEFAULT_PROFILE, PROFILES, choose_rows

__all__ = [
    "DEFAULT_PROFILE",
    "DEFAULT_SEED",
    "MINIMUM_ROWS",
    "PROFILES",
    "SeedResult",
    "choose_rows",
    "plan_rows",
    "seed",
]
