"""Tests of the schema package and of the databases built from it."""
