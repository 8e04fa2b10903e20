"""Fragments of files and programs on pages of reference: each runs, or is read by who reads it."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml  # type: ignore[import-untyped]  # it has no stubs here

from bounty_ops.alerting.message import Message
from bounty_ops.alerting.webhook import document
from bounty_ops.definitions import build_definitions
from bounty_ops.environments import Environment, Policy, load_settings
from bounty_ops.postgres.connect import engine
from bounty_ops.schema.bounty import Base
from bounty_ops_tests.docs.pages import blocks_of, text_of
from bounty_ops_tests.fix_backups import value

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

_FORMS: Final = text_of("docs/reference/dagster.md")
_JOB: Final = re.compile(r"^\| `ENV_(\w+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def fragment(page: str, language: str) -> str:
    """The first block of a page in a language."""
    blocks = blocks_of(f"docs/reference/{page}.md")
    return next(each.text for each in blocks if each.language == language)


def test_the_history_is_asked_as_the_page_asks_it(fresh_operations: DatabaseUrl) -> None:
    known: dict[str, Any] = {"engine": engine(fresh_operations, application_name="tests")}
    exec(fragment("history", "python"), known)  # noqa: S102 - it is our own page
    assert list(known["found"].points) == []
    known["engine"].dispose()


def test_the_schema_is_read_as_the_page_reads_it(
    fresh_database: DatabaseUrl, capsys: pytest.CaptureFixture[str]
) -> None:
    made = engine(fresh_database, application_name="tests")
    Base.metadata.create_all(made)
    with made.begin() as connection:
        connection.exec_driver_sql(
            """INSERT INTO "user" (id, name, email, email_verified)"""
            """ VALUES ('ada', 'Ada', 'ada@example.com', true)"""
        )
        connection.exec_driver_sql(
            "INSERT INTO bounty (title, description, amount, status, created_by_id)"
            " VALUES ('Fix it', 'Please', 12.50, 'open', 'ada')"
        )
    made.dispose()
    shown = fragment("schema", "python")
    address = "postgresql+psycopg://app@db.example.com/bounty"
    assert address in shown
    here = fresh_database.sqlalchemy().render_as_string(hide_password=False)
    known: dict[str, Any] = {}
    exec(shown.replace(address, here), known)  # noqa: S102 - it is our own page
    known["engine"].dispose()
    assert capsys.readouterr().out == "Fix it 12.50 USD\n"


@pytest.mark.soak
def test_a_migration_is_applied_as_the_page_applies_it(fresh_database: DatabaseUrl) -> None:
    environment = Environment("development", fresh_database, Policy())
    exec(fragment("migrating", "python"), {"environment": environment})  # noqa: S102 - it is our own page
    revision = value(fresh_database, "SELECT version_num FROM bounty_ops.alembic_version")
    assert revision.startswith("bounty_")


def test_the_webhooks_document_has_the_fields_that_the_page_shows() -> None:
    shown = json.loads(fragment("delivery", "json"))
    names = ("key", "environment", "rule", "subject", "severity", "change", "title", "body")
    same = {name: shown[name] for name in names}
    opened, sent = (datetime.fromisoformat(shown[name]) for name in ("opened_at", "sent_at"))
    message = Message(number=shown["message"], incident=shown["incident"], opened_at=opened, **same)
    assert document(message, sent) == shown


def forms(home: Path) -> dict[str, dict[str, Any]]:
    """The fields of each job's form, by the job's name without its environment."""
    (home / ".env.production").write_text("DATABASE_URL=postgresql://me@localhost/bounty\n")
    built = build_definitions(load_settings(home, {}))
    found = {}
    for job in built.resolve_all_job_defs():
        ops = getattr(job.run_config_schema.run_config_schema_type, "fields", {}).get("ops")
        fields: dict[str, Any] = {}
        for each in ops.config_type.fields.values() if ops else ():
            config = each.config_type.fields.get("config")
            fields |= getattr(config.config_type, "fields", {}) if config else {}
        found[job.name.removeprefix("production_")] = fields
    return found


def test_the_forms_of_the_jobs_are_those_that_the_page_lists(tmp_path: Path) -> None:
    there = forms(tmp_path)
    jobs = _FORMS.partition("## Jobs\n")[2].partition("\n## ")[0]
    listed = {name: set(re.findall(r"`(\w+)`", told)) for name, told in _JOB.findall(jobs)}
    assert len(listed) > 8
    assert listed == {name: set(there[name]) for name in listed}
    shown = yaml.safe_load(fragment("dagster", "yaml"))
    assert shown == {name: field.default_value for name, field in there["migrate"].items()}
