"""Text in, rules out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating.lint import RULES, Catalogue, lint_class, lint_sql
from bounty_ops.migrating.lint.schema import Column, Index, Table
from bounty_ops_tests.migrating.lint.examples import EXAMPLES, hazards, lint

if TYPE_CHECKING:
    from bounty_ops_tests.migrating.lint.example import Example


ADVICE = [
    ("ALTER TABLE t ADD COLUMN a json", "column-json"),
    ("ALTER TABLE t ADD COLUMN a int REFERENCES u", "column-references"),
    ("ALTER TYPE m ADD VALUE 'x'", "enum-value-stays"),
    ("ALTER TABLE t OWNER TO somebody", "owner-changes"),
    ("ALTER TABLE t REPLICA IDENTITY FULL", "replica-identity-full"),
    ("INSERT INTO t SELECT * FROM u", "rows-copied-at-once"),
    ("COMMIT", "transaction-nested"),
    ("DROP DOMAIN d", "type-dropped"),
    ("CREATE UNIQUE INDEX CONCURRENTLY ON t (a)", "index-concurrently-can-fail"),
    ("DROP INDEX CONCURRENTLY i", "index-drop-concurrently"),
    ("ALTER TABLE t ALTER a TYPE text", "type-may-rewrite"),
    ("ALTER TABLE t ADD CONSTRAINT c PRIMARY KEY USING INDEX i", "primary-key-may-scan"),
    ("ALTER TABLE t ALTER a DROP DEFAULT", "default-dropped"),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_text_has_exactly_these_hazards(example: Example) -> None:
    found = lint(example)
    assert hazards(found) == example.rules
    for each in found:
        assert each.lock in {*_LOCKS, None}
        assert each.message.endswith(".")
        assert "{" not in each.message + each.remedy


_LOCKS = {
    "ACCESS EXCLUSIVE", "EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE", "SHARE UPDATE EXCLUSIVE",
    "ROW EXCLUSIVE", "ROW SHARE",
}  # fmt: skip


def test_every_rule_speaks_in_some_example() -> None:
    told = {each.rule for example in EXAMPLES for each in lint(example)}
    assert set(RULES) - told <= {"policy-opens-table", *(rule for _, rule in ADVICE)}


@pytest.mark.parametrize(("sql", "rule"), ADVICE)
def test_advice_is_given_and_is_no_hazard(sql: str, rule: str) -> None:
    found = lint_sql(f"SET lock_timeout = '1s'; {sql}")
    assert [(each.rule, each.level) for each in found] == [(rule, "advice")]


def test_a_policy_for_everybody_beside_others_opens_the_table() -> None:
    table = Table("t", row_security=True, policies={"own"})
    found = lint_sql(
        "CREATE POLICY p ON t USING (true)", catalogue=Catalogue(tables={"t": table}), managed=True
    )
    assert hazards(found) == ("policy-opens-table",)


def test_what_a_server_knows_to_be_tiny_may_be_worked_on() -> None:
    def rules(size: int | None) -> tuple[str, ...]:
        known = Catalogue(complete=True, tables={"t": Table("t", size=size, rows=9)})
        known.tables["t"].columns["a"] = Column("a", None)
        known.indexes["i"] = Index("i", "t", ("a",))
        return hazards(
            lint_sql("CREATE INDEX j ON t (a); DROP TABLE t", catalogue=known, managed=True)
        )

    assert rules(8192) == ("table-dropped",)
    assert rules(80_000_000) == ("index-blocks-writes", "table-dropped")
    assert rules(None) == ("index-blocks-writes", "table-dropped")


def test_a_catalogue_is_not_changed_by_what_is_linted() -> None:
    known = Catalogue(complete=True, tables={"t": Table("t")})
    lint_sql("DROP TABLE t; CREATE TABLE u (a int)", catalogue=known)
    assert list(known.tables) == ["t"]


def test_what_a_complete_catalogue_does_not_have_cannot_be_changed() -> None:
    for sql in ("ALTER TABLE t ADD a int", "CREATE INDEX ON t (a)", "UPDATE t SET a = 1",
                "DROP TABLE t", "DROP INDEX i", "REINDEX TABLE CONCURRENTLY t",
                "REINDEX INDEX i", "ALTER PUBLICATION p ADD TABLE t"):  # fmt: skip
        assert hazards(lint_sql(sql, catalogue=Catalogue(complete=True))) == ("always-fails",), sql
    for sql in ("ALTER TABLE IF EXISTS t ADD a int", "DROP TABLE IF EXISTS t CASCADE",
                "DROP INDEX IF EXISTS i"):  # fmt: skip
        assert lint_sql(sql, catalogue=Catalogue(complete=True)) == (), sql


def test_what_a_table_that_is_there_lacks_cannot_be_named() -> None:
    known = Catalogue(complete=True, tables={"t": Table("t")}, type_names={"int4"})
    for sql in ("ALTER TABLE t RENAME CONSTRAINT c TO d", "ALTER TYPE mood ADD VALUE 'x'",
                "ALTER TABLE t ADD a int REFERENCES u (id)"):  # fmt: skip
        found = lint_sql(f"SET lock_timeout = '1s'; {sql}", catalogue=known)
        assert hazards(found) == ("always-fails",), sql


def test_a_statement_that_is_no_sql_hides_no_other() -> None:
    found = lint_sql(
        "SET lock_timeout = '1s';\nALTER TABL t;\n\nCREATE INDEX ON t (a);\n\\echo x\n"
    )
    assert [(each.rule, each.line) for each in found if each.hazard] == [
        ("syntax-error", 2),
        ("index-blocks-writes", 4),
    ]


def test_lines_are_those_of_the_statement_also_inside_do() -> None:
    sql = "-- first\n\n\n/* two\nlines */ DROP\nTABLE t;\nDO $$\nBEGIN\nDROP TABLE u;\nEND $$"
    assert [each.line for each in lint_sql(sql) if each.rule == "table-dropped"] == [5, 9]


def test_our_own_runner_sets_lock_timeout() -> None:
    sql = "BEGIN; ALTER TABLE t ADD a int; COMMIT"
    assert lint_sql(sql, managed=True) == ()
    assert hazards(lint_sql(sql)) == ("lock-timeout-missing",)
    assert hazards(lint_sql("ALTER TABLE t ADD a int")) == ("lock-timeout-missing",)


def test_a_comment_with_a_reason_acknowledges_a_rule_for_its_statement() -> None:
    noted = "-- bounty-ops: acknowledge table-dropped: unused since May\nDROP TABLE t;\n"
    found = lint_sql(noted + "DROP TABLE u;", managed=True)
    assert [(each.relation, each.level) for each in found if each.rule == "table-dropped"] == [
        ("t", "advice"),
        ("u", "error"),
    ]
    assert "unused since May" in found[-2].message + found[-1].message + found[0].message
    bare = "-- bounty-ops: acknowledge table-dropped\nDROP TABLE t;"
    assert hazards(lint_sql(bare, managed=True)) == ("table-dropped",)
    assert lint_sql("DROP TABLE t", managed=True, ignore=["table-dropped"]) == ()


def test_rows_of_a_dump_and_commands_of_psql_are_passed_over() -> None:
    sql = (
        "\\restrict abc\nCREATE TABLE t (a int);\nCOPY t (a) FROM stdin;\n1;\n'\n\\.\nDROP TABLE u;"
    )
    assert [(each.rule, each.line) for each in lint_sql(sql, managed=True) if each.hazard] == [
        ("table-dropped", 7)
    ]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "online"),
        ("CREATE INDEX i ON t (a)", "blocking"),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", "online"),
        ("ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN a int", "blocking"),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "online"),
        ("REINDEX TABLE CONCURRENTLY t", "online"),
        ("REINDEX TABLE t", "blocking"),
        ("VACUUM t", "online"),
        ("VACUUM FULL t", "blocking"),
        ("ANALYZE t", "online"),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", "online"),
        ("DROP INDEX i", "blocking"),
        ("UPDATE t SET a = 1", "blocking"),
        ("SELECT 1", "online"),
        ("no sql", "blocking"),
        ("", "blocking"),
    ],
)
def test_who_waits_for_nobody_may_take_its_time(sql: str, expected: str) -> None:
    assert lint_class(sql) == expected
