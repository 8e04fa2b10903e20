"""Tests of the gates of a migration."""
