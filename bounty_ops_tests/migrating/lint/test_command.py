"""`db lint`: a file, standard input, our revisions; with and without a database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

import bounty_ops
from bounty_ops.migrating.lineage import LINEAGES, OPS
from bounty_ops.migrating.lint import RULES, lint_revisions, lint_sql, sarif
from bounty_ops.migrating.lint.reference import rules_table
from bounty_ops.migrating.revisions import revisions_of

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine


def test_a_file_is_looked_at_without_any_database(bare_command_line: CommandLine) -> None:
    file = bare_command_line.home / "next.sql"
    file.write_text("SET lock_timeout = '1s';\nALTER TABLE t ALTER a TYPE varchar(9);\n")
    earlier = bare_command_line.home / "earlier.sql"
    earlier.write_text("CREATE TABLE t (a varchar(10));\n")
    alone = bare_command_line.run("db", "lint", str(file), "--json")
    assert (alone.code, alone.stderr) == (0, "")
    assert [each["level"] for each in alone.document["findings"]] == ["advice"]
    known = bare_command_line.run("db", "lint", str(file), "--history", str(earlier), "--json")
    assert known.code == 1
    [finding] = known.document["findings"]
    assert {name: finding[name] for name in ("rule", "level", "line", "lock", "file")} == {
        "rule": "type-rewrites-table",
        "level": "error",
        "line": 2,
        "lock": "ACCESS EXCLUSIVE",
        "file": str(file),
    }
    assert finding["message"]
    assert finding["remedy"]


def test_a_database_is_asked_where_one_is_named(command_line: CommandLine) -> None:
    url = command_line.database
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute("CREATE TABLE t (a varchar(10))")
    file = command_line.home / "next.sql"
    file.write_text("SET lock_timeout = '1s'; ALTER TABLE t ALTER a TYPE varchar(11);")
    for name in ("DATABASE_URL", "development"):
        done = command_line.run("db", "lint", str(file), "--catalogue", name, "--json")
        assert (done.code, done.document, done.stderr) == (0, {"findings": []}, "")
    done = command_line.run("db", "lint", str(file), "--catalogue", url.text(), "--json")
    assert (done.code, done.document) == (0, {"findings": []})
    assert done.stderr.startswith("warning: a password on the command line")


def test_what_makes_no_sense_is_wrong_usage(bare_command_line: CommandLine) -> None:
    for words in (("bounty_9999",), ("nothing.sql",), ("--ignore", "no-such-rule")):
        done = bare_command_line.run("db", "lint", *words)
        assert done.code == 2, words
        assert len(done.error_lines) == 2


#: Our operations database has one user, the program that migrates it: whoever comes while it does
#: so waits, and is of the same version. What is dropped was carried over, and tests show that.
OURS_ALONE = {
    "check-scans", "column-dropped", "foreign-key-scans", "index-blocks-writes",
    "index-drop-blocks", "lock-held-across-backfill", "lock-held-across-scan", "not-null-scans",
    "rename-breaks-clients", "rows-not-in-batches", "several-tables-locked", "table-dropped",
    "unique-builds-index", "update-all-rows",
}  # fmt: skip


def test_our_own_revisions_are_free_of_errors() -> None:
    for lineage in LINEAGES:
        revisions = revisions_of(lineage)
        found = lint_revisions(revisions, revisions.order)
        assert list(found) == [each.id for each in revisions.order]
        hazards = {each.rule for findings in found.values() for each in findings if each.hazard}
        assert hazards <= (OURS_ALONE if lineage is OPS else set())


def test_sarif_names_rules_files_and_lines() -> None:
    found = {"a.sql": lint_sql("\nDROP TABLE t;\nALTER TABLE u ADD a json", managed=True)}
    log = json.loads(json.dumps(sarif(found)))
    [run] = log["runs"]
    assert log["version"] == "2.1.0"
    rules = [each["id"] for each in run["tool"]["driver"]["rules"]]
    assert set(rules) <= set(RULES)
    results = run["results"]
    assert [(each["ruleId"], each["level"]) for each in results if each["level"] != "note"] == [
        ("table-dropped", "error"),
    ]
    for each in results:
        assert rules[each["ruleIndex"]] == each["ruleId"]
        [location] = each["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "a.sql"
        assert place["region"]["startLine"] in {2, 3}


def test_the_reference_has_the_rules_as_they_are() -> None:
    page = Path(bounty_ops.__file__).parents[1] / "docs" / "reference" / "lint.md"
    assert rules_table() in page.read_text(encoding="utf-8")


def test_several_earlier_files_may_follow_one_option(bare_command_line: CommandLine) -> None:
    home = bare_command_line.home
    (home / "1.sql").write_text("CREATE TABLE t (a varchar(10));\n")
    (home / "2.sql").write_text("ALTER TABLE t ALTER a TYPE varchar(20);\n")
    (home / "next.sql").write_text("SET lock_timeout = '1s'; ALTER TABLE t ALTER a TYPE text;\n")
    once = bare_command_line.run("db", "lint", "next.sql", "--history", "1.sql", "2.sql", "--json")
    each = bare_command_line.run(
        "db", "lint", "--json", "--history", "1.sql", "--history", "2.sql", "next.sql"
    )
    assert once.document == each.document == {"findings": []}


def test_the_file_of_a_revision_means_the_revision(bare_command_line: CommandLine) -> None:
    [file] = (LINEAGES[0].directory() / "versions").glob("bounty_0001_*.py")
    assert bare_command_line.run("db", "lint", str(file)).code == 0
    (bare_command_line.home / "other.py").write_text('revision = "bounty_0001"\n')
    done = bare_command_line.run("db", "lint", "other.py")
    assert done.code == 2
    assert "is Python, but no file of one of our revisions" in done.stderr
