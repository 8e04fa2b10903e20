"""Records as bytes: always the same ones, and read without guessing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bounty_ops.errors import JournalError
from bounty_ops.journal.ids import new_id, require_id, time_of_id
from bounty_ops.journal.records import (
    Difference,
    Manifest,
    MigrationEvidence,
    Proof,
    TableRecord,
    Verdict,
    parse_record,
    record_bytes,
)
from bounty_ops_tests.journal.examples import NIGHT, a_manifest, a_migration, a_proof

if TYPE_CHECKING:
    from collections.abc import Callable

SHA256 = "ab" * 32

#: `strptime` reads years of four digits.
FIRST_ID = datetime(1000, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone

texts = st.text(st.characters(codec="utf-8"), max_size=20)
times = st.datetimes(
    min_value=FIRST_ID, timezones=st.just(UTC) | st.just(timezone(timedelta(hours=9)))
)
tables = st.lists(
    st.builds(
        TableRecord,
        schema_name=texts,
        name=texts,
        rows=st.integers(0, 2**62),
        fingerprint=texts,
    ),
    max_size=3,
)


def edited(record: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    content = json.loads(record)
    change(content)
    return json.dumps(content).encode()


@given(taken_at=times, tables=tables, text=texts)
def test_what_is_written_is_what_is_read(
    taken_at: datetime, tables: list[TableRecord], text: str
) -> None:
    manifest = a_manifest(
        id=new_id(NIGHT), taken_at=taken_at, tables=tuple(tables), taken_by=text, database=text
    )

    read = parse_record(Manifest, record_bytes(manifest), where="here")

    assert read == manifest
    assert record_bytes(read) == record_bytes(manifest)
    assert read.taken_at == taken_at


def test_bytes_do_not_depend_on_the_order_of_anything() -> None:
    one = a_manifest(id="x", inventory={"a": ["1"], "b": ["2"]})
    other = a_manifest(id="x", inventory={"b": ["2"], "a": ["1"]})

    assert record_bytes(one) == record_bytes(other)


def test_json_is_for_people_too() -> None:
    written = record_bytes(a_manifest(taken_by="Jürgen")).decode()

    assert '"taken_by": "Jürgen"' in written
    assert '"taken_at": "2026-11-22T02:00:00Z"' in written
    assert '"schema": "public"' in written
    assert written.endswith("}\n")


def test_times_are_turned_to_utc() -> None:
    tokyo = datetime(2026, 11, 22, 11, tzinfo=timezone(timedelta(hours=9)))

    assert a_manifest(taken_at=tokyo).taken_at == NIGHT
    assert a_manifest(taken_at=tokyo).taken_at.tzinfo is UTC


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        a_manifest(id="x", taken_at=datetime(2026, 11, 22))  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="time zone"):
        new_id(datetime(2026, 11, 22))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    ("model", "record"),
    [
        (Manifest, record_bytes(a_manifest())),
        (Proof, record_bytes(a_proof(a_manifest(), SHA256))),
        (MigrationEvidence, record_bytes(a_migration())),
    ],
)
def test_a_newer_format_asks_for_an_upgrade(
    model: type[Manifest | Proof | MigrationEvidence], record: bytes
) -> None:
    newer = edited(record, lambda content: content.update(format_version=3))

    with pytest.raises(JournalError, match="has format version 3") as caught:
        parse_record(model, newer, where="some/key.json")

    assert "upgrade" in caught.value.hint
    assert "some/key.json" in str(caught.value)


def test_fields_of_a_later_program_are_ignored() -> None:
    manifest = a_manifest()

    def add(content: dict[str, Any]) -> None:
        content["new"] = 1
        content["objects"][0]["new"] = 2
        content["tables"][0]["new"] = 3

    assert parse_record(Manifest, edited(record_bytes(manifest), add), where="k") == manifest


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (record_bytes(a_manifest())[:-20], "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "format_version is missing"),
        (b'{"format_version": "1"}', "format_version"),
        (b'{"format_version": 0}', "format_version"),
        (b'{"format_version": true}', "format_version"),
    ],
)
def test_what_is_no_record_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(JournalError, match="cannot be read") as caught:
        parse_record(Manifest, data, where="k")

    assert why in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("taken_at"),
        lambda content: content.update(taken_at="yesterday"),
        lambda content: content.update(taken_at="2026-11-22T02:00:00"),
        lambda content: content.update(id="../../other"),
        lambda content: content.update(environment="Production/x"),
        lambda content: content.update(seconds=-1),
        lambda content: content.update(objects=[]),
        lambda content: content.update(objects=content["objects"] * 2),
        lambda content: content["objects"][0].update(size_bytes="15"),
        lambda content: content["objects"][0].update(size_bytes=-15),
        lambda content: content["objects"][0].update(sha256="ABC"),
        lambda content: content["objects"][0].update(role="shard"),
        lambda content: content["tables"][0].update(rows=1.5),
        lambda content: content["tables"][0].pop("schema"),
    ],
)
def test_a_wrong_field_is_refused_and_named(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(JournalError, match="cannot be read: ") as caught:
        parse_record(Manifest, edited(record_bytes(a_manifest()), change), where="k")

    assert "\n" not in str(caught.value)


def test_a_verdict_cannot_contradict_its_evidence() -> None:
    difference = Difference(kind="table", object="public.user", expected="3", found="2")
    manifest = a_manifest()

    with pytest.raises(ValidationError, match="no differences"):
        a_proof(manifest, SHA256, differences=(difference,))
    with pytest.raises(ValidationError, match="at least one difference"):
        a_proof(manifest, SHA256, verdict=Verdict.REFUTED)
    with pytest.raises(ValidationError, match="its reason"):
        a_proof(manifest, SHA256, verdict=Verdict.INCONCLUSIVE)
    with pytest.raises(ValidationError, match="verdict"):
        a_proof(manifest, SHA256, verdict="unverified")
    a_proof(manifest, SHA256, verdict=Verdict.REFUTED, differences=(difference,))
    a_proof(manifest, SHA256, verdict=Verdict.INCONCLUSIVE, reason="disk full")


def test_records_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        a_manifest().database = "other"  # type: ignore[misc]  # what is refused


def test_a_manifest_counts_its_rows_and_knows_its_archive() -> None:
    manifest = a_manifest()

    assert manifest.rows == 23
    assert manifest.archive is manifest.objects[0]


@given(st.datetimes(min_value=FIRST_ID, timezones=st.just(UTC)))
def test_an_id_holds_its_time_and_is_accepted_where_ids_are(moment: datetime) -> None:
    made = new_id(moment)

    assert time_of_id(made) == moment.replace(microsecond=0)
    assert require_id(made) == made


def test_ids_of_one_second_differ_and_later_ones_sort_later() -> None:
    moments = [NIGHT + timedelta(milliseconds=number) for number in range(1000)]
    made = [new_id(moment) for moment in moments]

    assert made == sorted(made)
    assert new_id(NIGHT) != new_id(NIGHT)
    assert made[-1] < new_id(NIGHT + timedelta(seconds=1))


@pytest.mark.parametrize("text", ["", "x", "20261322T020000Z-1a2b3c4d", "20261122T020000Z"])
def test_other_names_have_no_time(text: str) -> None:
    assert time_of_id(text) is None
