"""Tests of `bounty_ops.standing`."""
