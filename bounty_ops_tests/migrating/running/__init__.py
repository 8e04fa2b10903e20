"""Tests of running revisions."""
