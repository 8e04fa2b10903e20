"""Tests of restores and their verdicts."""
