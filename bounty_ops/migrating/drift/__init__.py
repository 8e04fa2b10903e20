"""Where a database is not what it should be, and the SQL that makes it so."""

from bounty_ops.migrating.drift.comparison import differences
from bounty_ops.migrating.drift.model import Difference

__all__ = ["Difference", "differences"]
