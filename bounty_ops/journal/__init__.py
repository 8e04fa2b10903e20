"""Durable records in the bucket, and the SQL catalogue that indexes them."""

from bounty_ops.journal.bucket import Journal
from bounty_ops.journal.ids import new_id

__all__ = ["Journal", "new_id"]
