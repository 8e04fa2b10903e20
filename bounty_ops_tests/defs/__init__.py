"""The coat over Dagster."""
