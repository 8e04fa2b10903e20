"""A small schema with rows, and a line of migrations that leads to it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, text

from bounty_ops.migrating.lineage import BOUNTY, Lineage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Connection

SHOP = (
    "CREATE TYPE state AS ENUM ('draft', 'open', 'paid', 'void')",
    (
        "CREATE TABLE customer (id text PRIMARY KEY, email text NOT NULL, name varchar(50), "
        "joined timestamp DEFAULT now() NOT NULL, score integer, tags text[], "
        "CONSTRAINT customer_email_unique UNIQUE (email))"
    ),
    (
        "CREATE TABLE purchase (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, "
        "customer_id text NOT NULL, state state DEFAULT 'draft' NOT NULL, amount integer NOT NULL, "
        "note text, ref varchar(20), tax numeric(8,2) DEFAULT 0, paid_at timestamp, "
        "history state[], CONSTRAINT purchase_amount_check CHECK (amount > 0), "
        "CONSTRAINT purchase_ref_unique UNIQUE (ref), CONSTRAINT purchase_customer_id_fk "
        "FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE CASCADE)"
    ),
    "CREATE INDEX purchase_state_idx ON purchase (state)",
    "CREATE INDEX purchase_open_idx ON purchase (customer_id) WHERE state = 'open'",
    "CREATE INDEX purchase_note_idx ON purchase (lower(note))",
    (
        "CREATE TABLE line (purchase_id uuid NOT NULL REFERENCES purchase (id), position integer "
        "NOT NULL, article text NOT NULL, PRIMARY KEY (purchase_id, position))"
    ),
    "CREATE TABLE log (at timestamp DEFAULT now(), said text)",
    "CREATE TABLE label (id integer PRIMARY KEY, word text)",
)
ROWS = (
    (
        "INSERT INTO customer (id, email, name, score, tags) SELECT 'c' || n, n || '@example.org', "
        "'name ' || n, n, ARRAY['a', 'b'] FROM generate_series(1, 30) n"
    ),
    (
        "INSERT INTO purchase (customer_id, state, amount, note, ref, history) SELECT "
        "'c' || 1 + n % 30, (ARRAY['draft', 'open', 'paid'])[1 + n % 3]::state, n, n::text, "
        "'r' || n, ARRAY['draft', 'open']::state[] FROM generate_series(1, 200) n"
    ),
    "INSERT INTO line SELECT id, 1, 'thing' FROM purchase",
    "INSERT INTO log (said) SELECT n::text FROM generate_series(1, 20) n",
    "INSERT INTO label VALUES (1, 'one'), (2, 'two')",
)

_BASE = '''"""The shop."""

from bounty_ops.migrating.script import upgrade_script

revision = "bounty_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    upgrade_script(__file__)


def downgrade() -> None:
    raise NotImplementedError
'''


class Statements(MetaData):
    """Models that are written down as DDL."""

    def __init__(self, statements: Sequence[str]) -> None:
        super().__init__()
        self.statements = tuple(statements)

    def create_all(self, bind: Any, *_: object, **__: object) -> None:  # noqa: ANN401 - its own
        """Execute them."""
        connection: Connection = bind
        for statement in self.statements:
            connection.execute(text(statement.replace(":", r"\:")))


def line_of(location: Path, base: Sequence[str], models: Sequence[str]) -> Lineage:
    """A line of migrations with one revision, whose models are already further."""
    versions = location / "versions"
    versions.mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        shutil.copy(BOUNTY.directory() / name, location / name)
    (versions / "bounty_0001_base.py").write_text(_BASE, "utf-8")
    script = ";\n--> statement-breakpoint\n".join(base) + ";\n"
    (versions / "bounty_0001_base.sql").write_text(script, "utf-8")
    return replace(BOUNTY, location=location, metadata=Statements(models))


def changed(*replacements: tuple[str, str], more: Sequence[str] = ()) -> tuple[str, ...]:
    """The shop's DDL with some words replaced, and some statements more.

    A statement that becomes empty is left out.
    """
    script = "\0".join(SHOP)
    for old, new in replacements:
        if old not in script:
            message = f"there is no {old!r} in the shop"
            raise AssertionError(message)
        script = script.replace(old, new)
    return (*(part for part in script.split("\0") if part.strip()), *more)
