"""A refresh masks before anybody can look, leaves nothing of the values, and spares production."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.environments import Environment, Policy, Settings
from bounty_ops.environments.masking import Masking
from bounty_ops.errors import ConfigurationError, RestoreError, UsageError
from bounty_ops.journal.records import Verdict
from bounty_ops.journal.restores import read_restores
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops.restore.masking import plan_masking
from bounty_ops.restore.plan import Wishes
from bounty_ops.restore.refresh import plan_refresh, refresh
from bounty_ops.seeding import seed
from bounty_ops_tests.fix_backups import Backups, run, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.restore.outcome import Restored

SECRETS = (
    "ada.lovelace@planted.example",
    "Ada Planted Lovelace",
    "planted-token-0123456789",
    "198.51.100.77",
    "planted in a document",
    "planted in an array",
    "+49 170 5550199",
)


def settings(backups: Backups, masking: Masking | None = None, **urls: DatabaseUrl) -> Settings:
    environments = {
        name: Environment(name, url, Policy.of(name, {"require_tls": False}))
        for name, url in urls.items()
    }
    home = backups.work_dir
    return Settings(home, home, environments, "staging", masking=masking or Masking())


def production_of(backups: Backups) -> Backups:
    return Backups(backups.journal, backups.work_dir, environment="production")


def refreshed(backups: Backups, given: Settings, **wishes: Any) -> Restored:  # noqa: ANN401
    plan = plan_refresh(given, "staging", "production", backups.journal, **wishes)
    return refresh(
        plan, backups.journal, operator="a test", digest=plan.digest, work_dir=backups.work_dir
    )


@pytest.fixture
def people(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A database with personal data in many shapes, old versions of rows among them."""
    email, name, token, ip, document, array, phone = SECRETS
    run(
        fresh_database,
        "CREATE EXTENSION citext",
        "CREATE TABLE person (id integer PRIMARY KEY, email citext UNIQUE, name varchar(20),"
        " token text, ip inet, data jsonb, raw json, tags text[], phone text, note text,"
        " lowered text GENERATED ALWAYS AS (lower(email::text)) STORED)",
        "CREATE TABLE audit (old_email text)",
        "CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO audit VALUES (OLD.email); RETURN NEW; END $$",
        "CREATE TRIGGER remember BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION remember()",
        "CREATE TABLE letter (recipient citext REFERENCES person (email), body text)",
        "CREATE MATERIALIZED VIEW mails AS SELECT email, name FROM person",
        "CREATE INDEX by_name ON person (name)",
        "INSERT INTO person SELECT g, 'p' || g || '@planted.example', 'Planted ' || g,"
        " 'planted-token-' || g, '198.51.100.1', '{}', '{}', '{}', '', 'kept'"
        " FROM generate_series(2, 300) g",
        f"INSERT INTO person VALUES (1, '{email}', '{name}', '{token}', '{ip}',"
        f' \'{{"a": ["{document}", 12, 4917055501991, null, true], "{email}": {{}}}}\','
        f" '{{\"b\": \"{document}\"}}', ARRAY['{array}', NULL, ''], '{phone}', NULL)",
        f"INSERT INTO letter VALUES ('{email}', 'Dear {name}'), (NULL, '')",
        "REFRESH MATERIALIZED VIEW mails",
        "ANALYZE",
    )
    return fresh_database


MASKING = Masking(
    preset="none",
    columns={
        "person.email": "email",
        "person.name": "name",
        "person.token": "token",
        "person.ip": "ip",
        "person.data": "json",
        "person.raw": "json",
        "person.tags": "text",
        "person.phone": "null",
        "letter.recipient": "email",
        "letter.body": "text",
    },
)


def files_of(url: DatabaseUrl) -> bytes:
    """Everything that a database has on the disk."""
    run(url, "CHECKPOINT")
    place = value(
        url,
        "SELECT setting || '/base/' || d.oid FROM pg_settings, pg_database d"
        " WHERE name = 'data_directory' AND d.datname = current_database()",
    )
    return b"".join(path.read_bytes() for path in Path(place).iterdir() if path.is_file())


def test_nothing_of_what_was_masked_is_left_in_any_file(
    people: DatabaseUrl, make_database: Callable[..., DatabaseUrl], backups: Backups
) -> None:
    production = production_of(backups)
    assert all(secret.encode() in files_of(people) for secret in SECRETS[:1])
    proof = production.verify(production.take(people, compression="none"))
    assert proof.verdict is Verdict.PROVED
    staging = make_database()

    done = refreshed(backups, settings(backups, MASKING, production=people, staging=staging))

    assert done.done
    [record] = read_restores(backups.store, "production")
    assert (record.operation, record.target, record.outcome) == ("refresh", "staging", "done")
    assert record.masked_columns == len(MASKING.columns)
    left = files_of(staging)
    assert not [secret for secret in (*SECRETS, "planted", "Planted") if secret.encode() in left]
    assert value(staging, "SELECT count(*) FROM audit") == 0
    assert value(staging, "SELECT count(DISTINCT email) FROM person") == 300
    assert value(staging, "SELECT bool_and(email ~ '^user-.*@masked.invalid$') FROM person")
    assert value(staging, "SELECT count(*) FROM letter JOIN person ON recipient = email") == 1
    assert value(staging, "SELECT bool_and(lowered = lower(email::text)) FROM person")
    assert value(staging, "SELECT count(*) FROM mails JOIN person USING (email, name)") == 300
    document = value(staging, "SELECT data FROM person WHERE id = 1")
    [first, *rest] = document["a"]
    assert first.startswith("masked-")
    assert rest == [12, 0, None, True]
    assert value(staging, "SELECT tags[2] IS NULL AND cardinality(tags) = 3 FROM person"
                 " WHERE id = 1")  # fmt: skip
    assert value(staging, "SELECT note FROM person WHERE id = 2") == "kept"
    assert value(staging, "SELECT phone IS NULL FROM person WHERE id = 1")
    assert value(staging, "SELECT tgenabled FROM pg_trigger WHERE tgname = 'remember'") == "O"
    told = value(
        staging,
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = current_database()",
    )
    assert told.startswith("bounty-ops: masked copy of production, backup ")


@pytest.mark.soak
def test_a_role_without_special_rights_masks_without_firing_triggers(
    people: DatabaseUrl, make_database: Callable[..., DatabaseUrl], backups: Backups
) -> None:
    run(people, "DROP TABLE letter", "DROP MATERIALIZED VIEW mails")
    production = production_of(backups)
    production.verify(production.take(people))
    staging = make_database()
    name = f"poor_{staging.database}"
    run(
        staging,
        f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'poor'",
        f"ALTER DATABASE {staging.database} OWNER TO {name}",
    )
    poor = staging.__class__(staging.host, staging.port, staging.database, name, "poor")
    columns = {key: rule for key, rule in MASKING.columns.items() if not key.startswith("letter")}
    given = settings(
        backups, Masking(preset="none", columns=columns), production=people, staging=poor
    )
    plan = plan_refresh(given, "staging", "production", backups.journal, Wishes(no_owner=True))

    assert refresh(
        plan, backups.journal, operator="a test", digest=plan.digest, work_dir=backups.work_dir
    ).done
    assert value(poor, "SELECT count(*) FROM audit") == 0
    assert value(poor, "SELECT bool_and(email ~ 'masked.invalid$') FROM person")
    assert value(poor, "SELECT tgenabled FROM pg_trigger WHERE tgname = 'remember'") == "O"


@pytest.mark.soak
def test_what_does_not_fit_leaves_the_target_as_it_was(
    people: DatabaseUrl, make_database: Callable[..., DatabaseUrl], backups: Backups
) -> None:
    production = production_of(backups)
    run(people, "ALTER TABLE person ADD CHECK (token LIKE 'planted-%')")
    production.verify(production.take(people))
    staging = make_database()
    run(staging, "CREATE TABLE mine (i integer)")

    for masking, what in (
        (MASKING, "person_token_check"),
        (Masking(preset="none", columns={"person.email": "email"}), "two ends are not"),
    ):
        with pytest.raises(RestoreError, match=what) as refused:
            refreshed(backups, settings(backups, masking, production=people, staging=staging))
        assert "[masking]" in refused.value.hint
    assert value(staging, "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'") == 1


@pytest.mark.soak
def test_a_copy_that_replaces_a_copy_leaves_no_third_one(
    people: DatabaseUrl, make_database: Callable[..., DatabaseUrl], backups: Backups
) -> None:
    production = production_of(backups)
    production.verify(production.take(people))
    staging = make_database()
    run(staging, "CREATE TABLE mine (i integer)")
    given = settings(backups, MASKING, production=people, staging=staging)

    first, second = refreshed(backups, given), refreshed(backups, given)

    assert first.old_database is not None  # it was somebody's work
    assert second.old_database is None
    run(staging.with_database("postgres"), str(first.removal))


def test_production_is_never_the_target(
    people: DatabaseUrl, make_database: Callable[..., DatabaseUrl], backups: Backups
) -> None:
    other = make_database()
    production = production_of(backups)
    production.verify(production.take(people))
    # The same database by another address, which only the server itself can tell.
    alias = people.__class__(
        "localhost", people.port, people.database, people.user, people.password
    )
    given = settings(backups, production=people, staging=people, alias=alias, other=other)

    for target, source, why in (
        ("production", "staging", "never the target"),
        ("production", "production", "from itself"),
        ("staging", "production", "is the database of production"),
        ("alias", "production", "is the database of production"),
        (other.text(), "production", "not a URL"),
    ):
        with pytest.raises(UsageError, match=why):
            plan_refresh(given, target, source, backups.journal)
    with pytest.raises(RestoreError, match="no proved backup of other"):
        plan_refresh(
            settings(backups, staging=other, other=people), "staging", "other", backups.journal
        )


def test_only_a_proved_backup_is_copied(
    people: DatabaseUrl, make_database: Callable[..., DatabaseUrl], backups: Backups
) -> None:
    production = production_of(backups)
    proved = production.take(people)
    production.verify(proved)
    production.take(people)
    given = settings(backups, MASKING, production=people, staging=make_database())

    plan = plan_refresh(given, "staging", "production", backups.journal)

    assert plan.restore.backup_id == proved.id


def test_bountys_preset_masks_every_row_and_reports_new_columns(
    fresh_database: DatabaseUrl, make_database: Callable[..., DatabaseUrl], backups: Backups
) -> None:
    environment = Environment("development", fresh_database, Policy())
    apply_migration(plan_migration(environment), environment, operator="a test")
    seed(environment, rows=2_000)
    production, staging = production_of(backups), make_database()
    production.verify(production.take(fresh_database))
    given = settings(backups, production=fresh_database, staging=staging)
    plan = plan_refresh(given, "staging", "production", backups.journal)
    assert plan.masking.reported == ()
    assert plan.needs_digest is False

    done = refresh(plan, backups.journal, operator="a test", digest=None, work_dir=backups.work_dir)

    assert done.done
    left = files_of(staging)
    for table, column in (("user", "email"), ("session", "token"), ("account", "access_token")):
        values = value(fresh_database, f'SELECT array_agg({column}) FROM "{table}"')
        assert not [one for one in values if one and one.encode() in left]

    run(
        fresh_database,
        'ALTER TABLE "user" ADD nickname text',
        "CREATE TABLE crm (id text, phone text, weather text)",
    )
    manifest = production.take(fresh_database)
    masking = plan_masking(Masking(), manifest)
    assert masking.reported == ("public.crm.phone", "public.user.nickname")
    own = Masking(columns={"crm.phone": "null", "user.nickname": "keep"})
    assert plan_masking(own, manifest).reported == ()
    with pytest.raises(ConfigurationError, match=r"user\.nosuch"):
        plan_masking(Masking(columns={"user.nosuch": "null"}), manifest)
