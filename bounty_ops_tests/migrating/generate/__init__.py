"""Tests of `bounty_ops.migrating.generate`."""
