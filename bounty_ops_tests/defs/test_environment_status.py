"""The asset that shows all environments at once, materialized in a real instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops_tests.defs.events import metadata_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.defs.conftest import Deployment


def test_the_matrix_shows_all_environments_and_why_something_is_unknown(
    make_deployment: Callable[..., Deployment], fresh_database: DatabaseUrl
) -> None:
    deployment = make_deployment(
        staging=fresh_database,
        production="postgresql://role:planted-word@127.0.0.1:1/bounty",
        policy="[environments.production]\nrequire_tls = false\n",
    )

    result = deployment.run("look_at_environments")

    assert result.success
    shown = metadata_of(result, "environment_status")
    matrix = shown["status"]
    assert "| staging | PostgreSQL " in matrix
    assert "| production (protected) | unreachable | unknown | unknown | unknown |" in matrix
    assert (shown["environments"], shown["protected"], shown["unreachable"]) == (2, 1, 1)
    assert shown["staging pending"] > 0
    assert "production pending" not in shown
    assert "| production | revision | " in shown["unknown"]
    assert "| staging | drift | the watcher has not looked at it yet |" in shown["unknown"]
    assert "planted-word" not in deployment.everything_told(result)
