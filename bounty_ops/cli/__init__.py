"""The command line: arguments -> plan -> carry out -> output (console or JSON).

Importing this package loads click and nothing heavier. Every group of commands stands in a module
of its own, loaded when it is asked for, so that ``bounty-ops --help`` need not wait for SQLAlchemy,
boto3 or Alembic. Dagster is never loaded here: `demo` talks to it over HTTP.
"""
