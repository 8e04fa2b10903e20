"""What we ask of Dagster is what the installed Dagster answers."""

from __future__ import annotations

import warnings
from functools import cache

import pytest
from graphql import GraphQLSchema, parse, validate

from bounty_ops.cli import dagster_queries

_QUERIES = {name: text for name, text in vars(dagster_queries).items() if name.isupper()}


@cache
def schema() -> GraphQLSchema:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Dagster's own imports
        from dagster_graphql.schema import create_schema  # noqa: PLC0415 - slow, and it warns

        found: GraphQLSchema = create_schema().graphql_schema
        return found


@pytest.mark.parametrize("name", _QUERIES)
def test_a_query_fits_the_schema_of_the_installed_dagster(name: str) -> None:
    assert validate(schema(), parse(_QUERIES[name])) == []
