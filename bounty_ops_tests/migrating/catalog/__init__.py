"""Tests of planning and applying migrations."""
