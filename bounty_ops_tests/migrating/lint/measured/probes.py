"""What the application of the context does, tried before and after a migration.

Each statement runs in a savepoint that is rolled back. What comes out is the number of rows, or the
SQLSTATE. A statement that worked and now fails, or finds less, is broken; one that was refused, or
found less, is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from bounty_ops_tests.migrating.lint.measured.sessions import Session

_STATEMENTS: Final = """
INSERT INTO public.customer (email, city, nickname) VALUES ('probe@shop.test', 'x', 'x')
INSERT INTO public.customer (email, city, nickname) VALUES ('c1@shop.test', 'x', 'x') \
ON CONFLICT (email) DO UPDATE SET bio = 'x'
INSERT INTO public.product (sku, title, price) VALUES ('probe', 'Probe', 1)
INSERT INTO public."order" (customer_id, ref) VALUES (1, 'probe')
INSERT INTO public."order" (customer_id, ref) VALUES (1, 'ref-1') ON CONFLICT (ref) DO NOTHING
INSERT INTO public.order_line (order_id, product_id, qty, unit_price) VALUES (1, 1, 1, 1)
INSERT INTO public.payment (order_id, amount, method, paid_at) VALUES (1, 5, 'card', now())
INSERT INTO public.account (name) VALUES ('Probe')
INSERT INTO public."UserSettings" ("id", "userId") VALUES ('probe', 'u')
INSERT INTO public.document (id, tenant, body) VALUES (900000, 1, 'x')
INSERT INTO public.import_row (ref, payload) VALUES (900000, 'x')
INSERT INTO public.session_token (token, customer_id) VALUES ('probe', 1)
INSERT INTO public.audit_entry (id, at, kind) VALUES (5, '2026-01-05', 'x')
INSERT INTO public.usage_sample (id, day, amount) VALUES (900000, '2026-06-05', 1)
INSERT INTO public.shipment (id, region, weight) VALUES (900000, 'eu', 1)
INSERT INTO billing.charge (id, customer_id, cents) VALUES (900000, 1, 1)
INSERT INTO legacy.old_order (id, total) VALUES (900000, 1)
UPDATE public.customer SET points = 3 WHERE id = 1
UPDATE public.product SET stock = 3 WHERE id = 1
UPDATE public."order" SET note = 'x' WHERE id = 1
UPDATE public.payment SET method = 'x' WHERE id = 1
DELETE FROM public.payment WHERE id = 1
SELECT public.tag_of('A'), public.day_of_now(), public.next_ref()
SELECT nextval('public.ref_seq')
"""
#: What a constraint refuses, with the name of the constraint.
_REFUSED: Final = """
order_line_order_fk: INSERT INTO public.order_line (order_id, qty) VALUES (99999999, 1)
order_customer_fk: INSERT INTO public."order" (customer_id, ref) VALUES (99999999, 'p')
customer_points_check: INSERT INTO public.customer (email, city, nickname, points) \
VALUES ('p', 'x', 'x', -7)
"""
_NOT_FOR_REPORTER: Final = """
SELECT id FROM public.customer LIMIT 5
SELECT id FROM public.payment LIMIT 5
"""
#: Row level security shows the application a third of the rows.
_OF_ONE_TENANT: Final = "SELECT id FROM public.document"

_RELATIONS: Final = """
SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('public', 'billing', 'legacy') AND c.relkind IN ('r', 'p', 'v', 'm')
  AND NOT c.relispartition
GROUP BY 1, 2 ORDER BY 1, 2
"""
_LABELS: Final = """
SELECT n.nspname, t.typname, e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname <> 'unused_mood' ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class Probe:
    """A statement, and as whom."""

    role: str
    statement: str
    #: The constraint that refuses it; without that constraint it proves nothing.
    constraint: str = ""


def probes_of(connection: Session) -> tuple[Probe, ...]:
    """What the application does with the database as it is now."""
    probes = [Probe("app", statement) for statement in _lines(_STATEMENTS)]
    probes.append(Probe("app", _OF_ONE_TENANT))
    for schema, name, columns in connection.execute(_RELATIONS).fetchall():
        assert isinstance(columns, list)
        query = sql.SQL("SELECT {} FROM {} LIMIT 5").format(
            sql.SQL(", ").join(sql.Identifier(column) for column in columns),
            sql.Identifier(str(schema), str(name)),
        )
        probes.append(Probe("app", query.as_string(connection)))
    for schema, name, label in connection.execute(_LABELS).fetchall():
        query = sql.SQL("SELECT {}::{}").format(
            sql.Literal(label), sql.Identifier(str(schema), str(name))
        )
        probes.append(Probe("app", query.as_string(connection)))
    for line in _lines(_REFUSED):
        constraint, _, text = line.partition(": ")
        probes.append(Probe("app", text, constraint))
    probes += [Probe("reporter", text) for text in _lines(_NOT_FOR_REPORTER)]
    return tuple(probes)


def _lines(text: str) -> list[str]:
    return text.strip().split("\n")


def outcomes(connection: Session, probes: tuple[Probe, ...]) -> dict[Probe, int | str]:
    """Try each, inside a transaction that goes on afterwards."""
    found: dict[Probe, int | str] = {}
    for probe in probes:
        if probe.constraint and not _enforced(connection, probe.constraint):
            continue
        role = f"SET LOCAL ROLE {probe.role}"
        connection.execute(f"SAVEPOINT probe; {role}; SET LOCAL app.tenant = '1'".encode())
        try:
            found[probe] = max(connection.execute(probe.statement.encode()).rowcount, 0)
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            found[probe] = error.sqlstate or "?"
        connection.execute("ROLLBACK TO SAVEPOINT probe; RELEASE SAVEPOINT probe")
    return found


def _enforced(connection: Session, constraint: str) -> bool:
    query = "SELECT to_jsonb(c) ->> 'conenforced' FROM pg_constraint c WHERE conname = %s"
    row = connection.execute(query, [constraint]).fetchone()
    return row is not None and row[0] != "false"


def broken(before: dict[Probe, int | str], after: dict[Probe, int | str]) -> tuple[str, ...]:
    """What worked, and fails or finds less."""
    return tuple(
        f"{probe.statement} -> {after[probe]}"
        for probe, was in before.items()
        if isinstance(was, int) and probe in after and _less(after[probe], was)
    )


def opened(before: dict[Probe, int | str], after: dict[Probe, int | str]) -> tuple[str, ...]:
    """What was refused or found less."""
    return tuple(
        f"{probe.statement} for {probe.role}"
        for probe, was in before.items()
        if probe in after
        and (isinstance(was, str) or probe.statement == _OF_ONE_TENANT)
        and _less(was, after[probe])
    )


def _less(one: int | str, other: int | str) -> bool:
    if isinstance(other, str):
        return False
    return isinstance(one, str) or one < other
