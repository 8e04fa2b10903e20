"""Checks that tell what is wrong, on servers that are."""
