"""Tests of making a development database anew."""
