"""Tests of `bounty_ops.migrating.push`."""
