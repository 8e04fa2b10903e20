"""Environments: URLs, variables, files and policies."""
