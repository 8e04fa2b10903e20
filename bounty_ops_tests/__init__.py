"""Tests of bounty_ops: unit tests of the pure parts, and journeys on real servers."""
