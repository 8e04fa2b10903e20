"""A database that is made anew gets the source's owner, privileges and settings."""

from __future__ import annotations

import dataclasses
import json
import secrets
from typing import TYPE_CHECKING

import pytest

from bounty_ops.postgres.connect import connect
from bounty_ops.restore.face import Face, put_face, read_face, recorded_face, withheld
from bounty_ops_tests.fix_backups import run, value
from bounty_ops_tests.restore.restores import new_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops_tests.restore.restores import Restores

SECRETS = {
    "app.jwt_secret": "planted-1",
    "app.api_key": "planted-2",
    "app.upstream": "https://ada:planted-3@example.org/",
    "app.source": "host=db.example password = planted-4",
    "app.opaque": "plantedplantedplantedplanted",
}


@pytest.fixture
def roles(pg_server_of: Callable[[int], DatabaseUrl]) -> Callable[..., list[str]]:
    """Make roles on the server of a major; they go with the server."""

    def make(major: int, *kinds: str) -> list[str]:
        names = [f"{kind}_{secrets.token_hex(4)}" for kind in kinds]
        run(pg_server_of(major), *(f'CREATE ROLE "{name}"' for name in names))
        return names

    return make


def dressed(database: DatabaseUrl, owner: str, reader: str) -> None:
    """Give a database a face of every kind."""
    name = database.database
    run(
        database,
        "CREATE TABLE fruit AS SELECT generate_series(1, 9) AS number",
        f'ALTER DATABASE {name} SET search_path = garden, "Odd, name", public',
        f"ALTER DATABASE {name} SET work_mem = '7MB'",
        f"ALTER DATABASE {name} SET datestyle = iso, dmy",
        f"ALTER DATABASE {name} SET app.mode = 'it''s fine'",
        f"ALTER ROLE \"{reader}\" IN DATABASE {name} SET statement_timeout = '9s'",
        *(f"ALTER DATABASE {name} SET {key} = '{secret}'" for key, secret in SECRETS.items()),
        f"ALTER DATABASE {name} CONNECTION LIMIT 33",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f'GRANT CONNECT ON DATABASE {name} TO "{reader}" WITH GRANT OPTION',
        f'ALTER DATABASE {name} OWNER TO "{owner}"',
    )


def about(manifest: Manifest) -> dict[str, object]:
    return dict(json.loads(manifest.inventory["about_database"][0]))


def face_of(database: DatabaseUrl) -> Face:
    with connect(database.with_database("postgres"), application_name="tests") as connection:
        return read_face(connection, database.database)


@pytest.mark.parametrize("major", [pytest.param(14, marks=pytest.mark.soak), 18])
def test_a_new_database_gets_all_that_the_source_had_but_its_secrets(
    make_database: Callable[..., DatabaseUrl],
    restores: Restores,
    roles: Callable[..., list[str]],
    major: int,
) -> None:
    source = make_database(major=major)
    owner, reader = roles(major, "Owner", "reader")
    dressed(source, owner, reader)
    manifest = restores.backups.take(source)
    assert "planted" not in json.dumps(manifest.inventory)
    target = restores.target(source.with_database(new_name()))
    plan = restores.plan(manifest, target)
    assert any(all(name in note for name in SECRETS) for note in plan.notes)

    done = restores.carry_out(plan, manifest, target)

    assert done.done
    assert done.notes == plan.notes
    wanted, found = face_of(source), face_of(target.url)
    assert found.settings == tuple(one for one in wanted.settings if one[1] not in SECRETS)
    assert len(found.settings) == 5
    assert (found.owner, found.connection_limit) == (owner, 33)
    assert found.acl == wanted.acl
    assert value(target.url, "SHOW search_path") == 'garden, "Odd, name", public'


def test_what_the_server_lacks_is_told_and_stops_nothing(
    make_database: Callable[..., DatabaseUrl],
    restores: Restores,
    roles: Callable[..., list[str]],
    pg_server_of: Callable[[int], DatabaseUrl],
) -> None:
    source = make_database(major=17)
    owner, reader = roles(17, "owner", "reader")
    dressed(source, owner, reader)
    manifest = restores.backups.take(source)
    elsewhere = pg_server_of(18)
    target = restores.target(elsewhere.with_database(new_name()))

    done = restores.restore(manifest, target)

    told = "\n".join(done.notes)
    assert done.done
    assert f"belongs to {elsewhere.user} instead of {owner}" in told
    assert f"the setting statement_timeout of {reader} was not taken over" in told
    assert f"what {reader} may do with the database was not taken over" in told
    found = face_of(target.url)
    assert (found.owner, found.connection_limit) == (elsewhere.user, 33)
    assert ("work_mem", "7MB") in [one[1:] for one in found.settings]

    plain = restores.target(elsewhere.with_database(new_name()))
    done = restores.restore(manifest, plain, no_owner=True)
    assert not any("was not taken over" in note for note in done.notes)
    assert ("work_mem", "7MB") in [one[1:] for one in face_of(plain.url).settings]


def test_a_privilege_that_is_refused_by_a_mere_warning_is_missed(
    fresh_database: DatabaseUrl, roles: Callable[..., list[str]]
) -> None:
    poor, reader = roles(17, "poor", "reader")
    run(fresh_database, f"ALTER ROLE \"{poor}\" LOGIN PASSWORD 'poor'")
    as_poor = dataclasses.replace(fresh_database, user=poor, password="poor")
    wanted = Face(fresh_database.user, None, -1, ((reader, "CONNECT", False),), ())

    with connect(as_poor, application_name="tests") as connection:
        told = put_face(connection, fresh_database.database, wanted)

    assert told == (f"the privilege CONNECT of {reader} was not taken over",)


def test_a_manifest_from_before_or_a_forged_one_gives_only_what_is_known() -> None:
    old = {"owner": "ada", "settings": ["work_mem"], "comment": "hers"}
    assert recorded_face(old, "me", no_owner=False) == Face("ada", "hers", -1, None, ())
    assert withheld(old) == ()
    assert recorded_face({}, "me", no_owner=False) == Face("me", None, -1, None, ())

    forged = {
        "acl": [{"grantee": "x", "privilege": "CONNECT; DROP DATABASE x", "grantable": False}]
    }
    assert recorded_face(forged, "me", no_owner=False).acl == ()


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_withheld_is_named(secret: str) -> None:
    values = [{"role": None, "name": secret, "value": None}]
    assert withheld({"values": values}) == (secret,)
    assert recorded_face({"values": values}, "me", no_owner=False).settings == ()
