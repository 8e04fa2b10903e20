"""Tests of the history of samples."""
