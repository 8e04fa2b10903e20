"""Archives that were damaged before they were hashed: their manifest agrees with the damage.

As by a bit that flips in the memory of the machine that dumps. The hash says nothing then; the
restore, and what the copy holds, must.
"""

from __future__ import annotations

from typing import Final, NamedTuple

COMPRESSIONS: Final = ("none", "gzip:1", "lz4", "zstd:1")
#: Of the source, made so that each compression has something to do.
SOURCE: Final = (
    "CREATE TYPE mood AS ENUM ('sad', 'happy')",
    (
        "CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL DEFAULT 'nobody',"
        " mood mood, paid numeric(10,2) CHECK (paid >= 0), since timestamptz)"
    ),
    (
        "INSERT INTO person SELECT g, 'person number ' || g,"
        " (CASE g % 2 WHEN 0 THEN 'sad' ELSE 'happy' END)::mood, g * 1.25,"
        " '2024-01-01 00:00+00'::timestamptz + g * interval '1 hour' FROM generate_series(1, 400) g"
    ),
    "CREATE TABLE letter (id integer PRIMARY KEY, person integer REFERENCES person, body text)",
    (
        "INSERT INTO letter SELECT g, 1 + g % 400, repeat(md5(g::text), 3)"
        " FROM generate_series(1, 300) g"
    ),
    "CREATE INDEX letter_person ON letter (person) WHERE body IS NOT NULL",
    "CREATE VIEW rich AS SELECT id, name FROM person WHERE paid > 300",
    "COMMENT ON TABLE person IS 'who they are'",
)


class Forged(NamedTuple):
    """One bit of one place of an archive that is compressed in one way."""

    label: str
    compression: str
    place: str
    """A block of data, or ``contents``."""


ALL: Final = tuple(
    Forged(f"forged: one bit of {place}, {compression}, #{number}", compression, place)
    for compression in COMPRESSIONS
    for place, count in (
        ("TABLE DATA public.person", 5),
        ("TABLE DATA public.letter", 5),
        ("contents", 2),
    )
    for number in range(count)
)
