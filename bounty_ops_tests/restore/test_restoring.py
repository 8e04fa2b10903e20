"""What pg_restore says decides between a bad backup and a bad place to restore it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bounty_ops.restore.restoring import (
    DRILL_OPTIONS,
    first_error,
    is_machines_fault,
    restore_arguments,
)

COPY = """\
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 3219; 0 21461 TABLE DATA animal zoo_owner
pg_restore: error: COPY failed for table "animal": ERROR:  invalid input syntax for type integer: \
"planted value"
CONTEXT:  COPY animal, line 1, column id: "planted value"
pg_restore: error: a worker process died unexpectedly
"""
EXTENSION = """\
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 2; 3079 16385 EXTENSION pg_cron \n\
pg_restore: error: could not execute query: ERROR:  pg_cron can only be loaded via \
shared_preload_libraries
HINT:  Add pg_cron to the shared_preload_libraries configuration variable.
Command was: CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog;
"""
DISK = """\
pg_restore: from TOC entry 3219; 0 21461 TABLE DATA animal zoo_owner
pg_restore: error: COPY failed for table "animal": ERROR:  could not extend file "base/5/1": \
No space left on device
HINT:  Check free disk space.
"""
SECRET = """\
pg_restore: from TOC entry 3100; 1417 5 USER MAPPING zoo_owner SERVER elsewhere postgres
pg_restore: error: could not execute query: ERROR:  server "elsewhere" does not exist
Command was: CREATE USER MAPPING FOR zoo_owner SERVER elsewhere OPTIONS (password 'planted');
"""
TRUNCATED = "pg_restore: error: could not read from input file: end of file\n"


@pytest.mark.parametrize(
    ("text", "entry", "message"),
    [
        (
            COPY,
            "TABLE DATA animal zoo_owner",
            'COPY failed for table "animal": ERROR:  invalid input syntax for type integer: ...',
        ),
        (
            COPY.partition("\n")[2].partition("\n")[2],
            "TABLE DATA animal",
            'COPY failed for table "animal": ERROR:  invalid input syntax for type integer: ...',
        ),
        (TRUNCATED, "", "could not read from input file: end of file"),
        (
            SECRET,
            "USER MAPPING zoo_owner SERVER elsewhere postgres",
            'could not execute query: ERROR:  server "elsewhere" does not exist',
        ),
        ("pg_restore: warning: something\n", "", ""),
        ("", "", ""),
    ],
)
def test_the_first_error_is_told_without_rows_and_statements(
    text: str, entry: str, message: str
) -> None:
    assert first_error(text.splitlines()) == (entry, message)


@pytest.mark.parametrize(
    ("text", "machine"), [(COPY, False), (TRUNCATED, False), (EXTENSION, True), (DISK, True)]
)
def test_a_machine_that_lacks_something_is_told_from_a_bad_archive(
    text: str, *, machine: bool
) -> None:
    lines = text.splitlines()

    assert is_machines_fault(lines, first_error(lines)[0]) is machine


def test_words_of_a_row_do_not_excuse_a_bad_archive() -> None:
    lines = COPY.replace("planted value", "No space left on device").splitlines()

    assert not is_machines_fault(lines, first_error(lines)[0])


def test_neither_passwords_of_others_nor_their_tablespaces_are_restored() -> None:
    arguments = restore_arguments(
        "restored", Path("/x/archive.dump"), jobs=2, options=DRILL_OPTIONS
    )

    assert {"--no-subscriptions", "--no-tablespaces", "--exit-on-error"} <= set(arguments)
    assert arguments[-2:] == ["--dbname=restored", "/x/archive.dump"]
