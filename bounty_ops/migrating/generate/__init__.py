"""Revisions written from the difference between the models and the migrations."""

from bounty_ops.migrating.generate.generate import (
    Generated,
    draft_revisions,
    generate,
    pending_differences,
    write_revisions,
)
from bounty_ops.migrating.generate.online import online
from bounty_ops.migrating.generate.step import Step

__all__ = [
    "Generated",
    "Step",
    "draft_revisions",
    "generate",
    "online",
    "pending_differences",
    "write_revisions",
]
