"""Plain DDL becomes a sequence in which nobody waits for longer than a moment."""

from __future__ import annotations

import itertools

import pytest

from bounty_ops.migrating.catalog import Catalog, Item
from bounty_ops.migrating.generate import Step, online
from bounty_ops.migrating.generate.grouping import grouped
from bounty_ops.migrating.generate.online import rewritten
from bounty_ops.migrating.generate.statements import derived, expression
from bounty_ops.migrating.generate.types import same_storage
from bounty_ops.migrating.generate.volatility import is_volatile

T = "ALTER TABLE public.t"


def _item(*key: str, uses: tuple[str, ...] = (), **facts: str) -> Item:
    aside = ("form", "table")
    texts: dict[str, str] = {name: facts.pop(name) for name in aside if name in facts}
    needs = frozenset(("column", "t", column) for column in uses)
    return Item(key, facts, texts, needs)


def _catalog(*more: Item, key: bool = True) -> Catalog:
    items = [
        _item("table", "t", row_security="disabled"),
        _item("column", "t", "id", type="integer", not_null="not null"),
        _item("column", "t", "a", type="text", not_null="nullable"),
        _item("column", "t", "b", type="integer", not_null="not null"),
        _item("default", "t", "b", uses=("b",), expression="0"),
        _item("table", "u", row_security="disabled"),
        _item("column", "u", "id", type="integer", not_null="not null"),
        _item(
            "index",
            "t_a_idx",
            uses=("a",),
            table="t",
            definition="CREATE INDEX t_a_idx ON public.t USING btree (a)",
        ),
        *more,
    ]
    if key:
        items.append(
            _item(
                "constraint",
                "t",
                "t_pkey",
                uses=("id",),
                form="primary key",
                definition="PRIMARY KEY (id)",
                validity="valid",
            )
        )
    return Catalog(17, {item.key: item for item in items})


CATALOG = _catalog()


def _revisions(steps: list[Step]) -> list[list[str]]:
    return [
        [step.sql for step in group]
        for _, group in itertools.groupby(steps, key=lambda step: step.group)
    ]


@pytest.mark.parametrize(
    ("statement", "revisions"),
    [
        (
            "CREATE INDEX x ON public.t USING gin (a)",
            [["CREATE INDEX CONCURRENTLY x ON public.t USING gin (a)"]],
        ),
        (
            "CREATE UNIQUE INDEX x ON public.t (a) WHERE (a > 'a')",
            [["CREATE UNIQUE INDEX CONCURRENTLY x ON public.t (a) WHERE (a > 'a')"]],
        ),
        ("DROP INDEX public.t_a_idx", [["DROP INDEX CONCURRENTLY public.t_a_idx"]]),
        (
            f"{T} ADD CONSTRAINT c CHECK (b > 1)",
            [[f"{T} ADD CONSTRAINT c CHECK (b > 1) NOT VALID"], [f"{T} VALIDATE CONSTRAINT c"]],
        ),
        (
            f"{T} ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES public.u(id)",
            [
                [f"{T} ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES public.u(id) NOT VALID"],
                [f"{T} VALIDATE CONSTRAINT f"],
            ],
        ),
        (
            f"{T} ALTER COLUMN a SET NOT NULL",
            [
                [f"{T} ADD CONSTRAINT t_a__not_null CHECK (a IS NOT NULL) NOT VALID"],
                [f"{T} VALIDATE CONSTRAINT t_a__not_null"],
                [f"{T} ALTER COLUMN a SET NOT NULL", f"{T} DROP CONSTRAINT t_a__not_null"],
            ],
        ),
        (
            f"{T} ADD CONSTRAINT q UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b) DEFERRABLE",
            [
                [
                    (
                        "CREATE UNIQUE INDEX CONCURRENTLY q ON public.t (a) INCLUDE (b) "
                        "NULLS NOT DISTINCT"
                    )
                ],
                [f"{T} ADD CONSTRAINT q UNIQUE USING INDEX q DEFERRABLE"],
            ],
        ),
        (
            f"{T} ADD COLUMN c text DEFAULT 'x' NOT NULL",
            [[f"{T} ADD COLUMN c text DEFAULT 'x' NOT NULL"]],
        ),
        (
            f"{T} ADD COLUMN c uuid DEFAULT gen_random_uuid()",
            [
                [f"{T} ADD COLUMN c uuid", f"{T} ALTER COLUMN c SET DEFAULT gen_random_uuid()"],
                ["UPDATE public.t SET c = DEFAULT WHERE c IS NULL"],
            ],
        ),
        (
            f"{T} ADD COLUMN c integer CHECK (c > 0) REFERENCES public.u (id)",
            [
                [f"{T} ADD COLUMN c integer"],
                [f"{T} ADD CONSTRAINT t_c_check CHECK (c > 0) NOT VALID"],
                [
                    f"{T} VALIDATE CONSTRAINT t_c_check",
                ],
            ],
        ),
        (
            "ALTER TYPE s ADD VALUE 'x' BEFORE 'y'",
            [["ALTER TYPE s ADD VALUE IF NOT EXISTS 'x' BEFORE 'y'"]],
        ),
        (f"{T} ALTER COLUMN a TYPE varchar", [[f"{T} ALTER COLUMN a TYPE varchar"]]),
    ],
)
def test_what_would_block_is_divided(statement: str, revisions: list[list[str]]) -> None:
    found = _revisions(online([statement], CATALOG))
    if "REFERENCES public.u (id)" in statement:
        assert found[0][:2] == [revisions[0][0], revisions[1][0]]
        assert revisions[2][0] in found[-1]
        assert "FOREIGN KEY (c) REFERENCES public.u (id) NOT VALID" in found[0][2]
        return
    assert found == revisions


def test_several_commands_of_one_statement_are_taken_apart() -> None:
    steps = online([f"{T} ADD COLUMN c text, ALTER COLUMN a SET NOT NULL, DROP COLUMN b"], CATALOG)
    assert _revisions(steps)[0][0] == f"{T} ADD COLUMN c text"
    assert f"{T} DROP COLUMN b" in _revisions(steps)[-1]


def test_a_new_table_is_nobodys_yet() -> None:
    statements = [
        "CREATE TABLE public.n (id integer PRIMARY KEY, t_id integer)",
        "CREATE INDEX n_idx ON public.n (t_id)",
        "ALTER TABLE public.n ADD CONSTRAINT f FOREIGN KEY (t_id) REFERENCES public.t(id)",
    ]
    steps = online(statements, CATALOG)
    assert _revisions(steps) == [statements]
    assert {step.risk for step in steps} == {"online"}


def test_a_new_label_is_used_in_a_later_transaction() -> None:
    steps = online(
        ["ALTER TYPE s ADD VALUE 'x'", f"{T} ADD COLUMN c public.s DEFAULT 'x'::public.s"], CATALOG
    )
    assert [step.group for step in steps] == [1, 2]


def test_an_index_is_replaced_without_a_gap() -> None:
    steps = online(
        ["DROP INDEX public.t_a_idx", "CREATE INDEX t_a_idx ON public.t USING hash (a)"], CATALOG
    )
    assert _revisions(steps) == [
        ["CREATE INDEX CONCURRENTLY t_a_idx__new ON public.t USING hash (a)"],
        ["DROP INDEX CONCURRENTLY public.t_a_idx"],
        ["ALTER INDEX public.t_a_idx__new RENAME TO t_a_idx"],
    ]


def test_a_unique_constraint_is_replaced_without_a_gap() -> None:
    old = _item(
        "constraint",
        "t",
        "q",
        uses=("a",),
        form="unique",
        definition="UNIQUE (a)",
        validity="valid",
    )
    steps = online([f"{T} DROP CONSTRAINT q", f"{T} ADD CONSTRAINT q UNIQUE (a, b)"], _catalog(old))
    assert _revisions(steps) == [
        ["CREATE UNIQUE INDEX CONCURRENTLY q__new ON public.t (a, b)"],
        [f"{T} DROP CONSTRAINT q", f"{T} ADD CONSTRAINT q UNIQUE USING INDEX q__new"],
    ]


def test_another_type_is_a_second_column_and_a_swap() -> None:
    steps = online([f"{T} ALTER COLUMN b TYPE bigint"], CATALOG)
    revisions = _revisions(steps)
    assert revisions[0][0] == f"{T} ADD COLUMN b__new bigint"
    assert "CREATE TRIGGER" in revisions[0][2]
    assert revisions[1] == [
        "UPDATE public.t SET b__new = CAST(b AS bigint) WHERE b__new IS NULL AND b IS NOT NULL"
    ]
    swap = next(each for each in revisions if f"{T} RENAME COLUMN b__new TO b" in each)
    assert f"{T} ALTER COLUMN b DROP NOT NULL" in swap
    assert swap[-1] == f"{T} ALTER COLUMN b SET DEFAULT 0"
    assert revisions[-1] == [f"{T} DROP COLUMN b__old"]
    (filled,) = [step.backfill for step in steps if step.backfill is not None]
    assert filled.key == ("id",)
    assert {step.risk for step in steps} <= {"online", "brief"}


def test_times_change_their_kind_by_utc_and_by_no_sessions_zone() -> None:
    catalog = _catalog(
        _item("column", "t", "at", type="timestamp without time zone", not_null="nullable")
    )
    steps = online([f"{T} ALTER COLUMN at TYPE timestamptz"], catalog)
    (filled,) = [step.backfill for step in steps if step.backfill is not None]
    assert "AT TIME ZONE 'UTC'" in filled.assignments
    assert all("'UTC'" in step.sql for step in steps if "CREATE FUNCTION" in step.sql)


@pytest.mark.parametrize(
    ("statement", "catalog", "reason"),
    [
        (f"{T} ALTER COLUMN id TYPE bigint", CATALOG, "part of the primary key"),
        (f"{T} ALTER COLUMN b TYPE bigint", _catalog(key=False), "no primary key"),
        (f'{T} ALTER COLUMN a TYPE text COLLATE "C"', CATALOG, "another collation"),
        (
            f"{T} ALTER COLUMN b TYPE bigint",
            _catalog(_item("view", "v", uses=("b",), definition="SELECT b FROM t")),
            "the view v depends",
        ),
        (f"{T} ADD COLUMN c int GENERATED ALWAYS AS (b) STORED", CATALOG, "stored generated"),
        (f"{T} ADD COLUMN c bigserial", CATALOG, "serial"),
    ],
)
def test_where_there_is_no_way_it_says_so(statement: str, catalog: Catalog, reason: str) -> None:
    (change,) = rewritten([statement], catalog)
    (step,) = change.steps
    assert (step.sql, step.risk, step.lock) == (statement, "blocking", "ACCESS EXCLUSIVE")
    assert reason in change.notes[0]


def test_an_exclusion_constraint_has_no_online_way() -> None:
    (step,) = online([f"{T} ADD CONSTRAINT x EXCLUDE USING btree (a WITH =)"], CATALOG)
    assert (step.risk, step.lock) == ("blocking", "ACCESS EXCLUSIVE")


def test_a_required_column_without_a_value_asks_for_one() -> None:
    statement = f"{T} ADD COLUMN c text NOT NULL"
    assert [each.needs_fill for each in rewritten([statement], CATALOG)] == ["t.c"]
    steps = online([statement], CATALOG, fills={"t.c": "a || 'x'"})
    (filled,) = [step for step in steps if step.backfill is not None]
    assert filled.sql == "UPDATE public.t SET c = a || 'x' WHERE c IS NULL"
    proof = [step for step in steps if "SET NOT NULL" in step.sql]
    assert filled.group < proof[0].group


def test_rows_without_a_key_are_written_at_once_and_it_says_so() -> None:
    steps = online([f"{T} ADD COLUMN c uuid DEFAULT gen_random_uuid()"], _catalog(key=False))
    (filled,) = [step for step in steps if step.sql.startswith("UPDATE")]
    assert (filled.risk, filled.backfill) == ("blocking", None)


STATEMENTS = [
    f"{T} ADD COLUMN c uuid DEFAULT gen_random_uuid() NOT NULL",
    "CREATE INDEX x ON public.t (b)",
    "ALTER TABLE public.u ADD COLUMN c text",
    f"{T} ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES public.u(id)",
    "ALTER TYPE s ADD VALUE 'x'",
    f"{T} ALTER COLUMN b TYPE bigint",
    "DROP INDEX public.t_a_idx",
    "ALTER TABLE public.u ADD CONSTRAINT q CHECK (id > 0)",
]


@pytest.mark.parametrize("order", range(12))
def test_no_revision_does_what_may_not_be_done_together(order: int) -> None:
    statements = next(itertools.islice(itertools.permutations(STATEMENTS), order * 997, None))
    steps = online(statements, CATALOG)
    assert [step.group for step in steps] == sorted(step.group for step in steps)
    for _, group in itertools.groupby(steps, key=lambda step: step.group):
        together = list(group)
        kinds = {step.kind for step in together}
        assert len(kinds) == 1
        if kinds == {"alone"}:
            assert len(together) == 1
        if kinds == {"change"}:
            assert len({step.table for step in together if step.table is not None}) <= 1


def test_stages_of_a_change_are_never_in_one_transaction() -> None:
    changes = rewritten(STATEMENTS, CATALOG)
    for change in changes:
        groups: dict[int, set[int]] = {}
        for step in grouped([change]):
            groups.setdefault(step.stage, set()).add(step.group)
        assert all(
            one.isdisjoint(other) for one, other in itertools.combinations(groups.values(), 2)
        )


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("character varying(20)", "varchar(30)", True),
        ("character varying(20)", "varchar(10)", False),
        ("character varying(20)", "text", True),
        ("text", "varchar", True),
        ("text", "varchar(10)", False),
        ("numeric(8,2)", "numeric(10, 2)", True),
        ("numeric(8,2)", "numeric(10,3)", False),
        ("numeric(8,2)", "numeric", True),
        ("numeric", "numeric(8,2)", False),
        ("integer", "bigint", False),
        ("timestamp without time zone", "timestamptz", False),
        ("timestamp(3) without time zone", "timestamp", True),
        ("timestamp without time zone", "timestamp(3)", False),
        ("cidr", "inet", True),
        ("inet", "cidr", False),
        ("text[]", "varchar[]", True),
        ("integer[]", "bigint[]", False),
        ("text", "text[]", False),
    ],
)
def test_which_types_are_stored_alike(before: str, after: str, same: bool) -> None:
    assert same_storage(before, after) is same


@pytest.mark.parametrize(
    ("default", "volatile"),
    [
        ("now()", False),
        ("CURRENT_TIMESTAMP", False),
        ("'x'::text", False),
        ("now() + interval '30 days'", False),
        ("gen_random_uuid()", True),
        ("nextval('s')", True),
        ("clock_timestamp()", True),
        ("public.now()", True),
        ("lower(my_function())", True),
    ],
)
def test_which_defaults_are_computed_for_each_row(default: str, volatile: bool) -> None:
    assert is_volatile(expression(default)) is volatile


def test_a_derived_name_is_no_longer_than_postgresql_takes() -> None:
    assert derived("a" * 63, "new") == "a" * 58 + "__new"
    assert len(derived("ä" * 40, "not_null").encode()) <= 63
