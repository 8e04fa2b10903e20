"""The linter of migrations."""
