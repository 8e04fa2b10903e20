"""docs/reference/manifest.md says of the records what the models say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.journal.edits import EditRecord
from bounty_ops.journal.layout import (
    approval_key,
    archive_key,
    edit_key,
    manifest_key,
    migration_key,
    proof_key,
    rehearsal_key,
    restore_key,
)
from bounty_ops.journal.records import (
    Approval,
    Difference,
    Manifest,
    MigrationEvidence,
    ObjectRecord,
    Pin,
    Proof,
    Rehearsal,
    SequenceRecord,
    TableRecord,
    Tombstone,
    parse_record,
    record_bytes,
)
from bounty_ops.journal.restores import Replaced, RestoreRecord
from bounty_ops.journal.sweep import SPARED

if TYPE_CHECKING:
    from pydantic import BaseModel

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "manifest.md").read_text(
    encoding="utf-8"
)

MODELS: dict[str, type[BaseModel]] = {
    "## Manifest": Manifest,
    "`objects`:": ObjectRecord,
    "`tables`:": TableRecord,
    "`sequences`:": SequenceRecord,
    "## Proof": Proof,
    "`differences`:": Difference,
    "## Pin": Pin,
    "## Tombstone": Tombstone,
    "## Migration record": MigrationEvidence,
    "## Rehearsal": Rehearsal,
    "## Approval": Approval,
    "## Restore record": RestoreRecord,
    "## Edit record": EditRecord,
    "`replaced`:": Replaced,
}


def example(name: str) -> bytes:
    match = re.search(rf"```json {name}\n(.*?)```", PAGE, re.DOTALL)
    assert match is not None
    return match[1].encode()


def documented_fields(title: str) -> dict[str, str]:
    """The fields in the first table after a title, with their types."""
    after = PAGE.split(f"\n{title}\n", 1)[1]
    table = re.search(r"\| Field .*?\n\n", after, re.DOTALL)
    assert table is not None
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", table[0], re.MULTILINE))


@pytest.mark.parametrize("title", MODELS)
def test_every_field_is_described_and_no_other(title: str) -> None:
    fields = MODELS[title].model_fields
    names = {field.alias or name for name, field in fields.items()}

    assert set(documented_fields(title)) == names


@pytest.mark.parametrize("title", MODELS)
def test_what_may_be_null_is_said(title: str) -> None:
    properties = MODELS[title].model_json_schema(mode="serialization")["properties"]
    nullable = {
        name for name, schema in properties.items() if {"type": "null"} in schema.get("anyOf", [])
    }
    documented = documented_fields(title)

    assert {name for name, kind in documented.items() if "null" in kind} == nullable


def test_the_examples_are_records_in_their_one_form() -> None:
    manifest = parse_record(Manifest, example("manifest"), where="the page")
    proof = parse_record(Proof, example("proof"), where="the page")
    migration = parse_record(MigrationEvidence, example("migration"), where="the page")

    assert record_bytes(manifest) == example("manifest")
    assert record_bytes(proof) == example("proof")
    assert record_bytes(migration) == example("migration")
    assert manifest.archive.key == archive_key(manifest.environment, manifest.id)


def test_the_layout_is_the_one_that_is_used() -> None:
    environment, backup = "<environment>", "<backup id>"

    for key in (
        archive_key(environment, backup),
        manifest_key(environment, backup),
        proof_key(environment, backup, "<proof id>"),
        migration_key(environment, "<record id>"),
        restore_key(environment, "<record id>"),
        rehearsal_key(environment, "<record id>"),
        approval_key(environment, "<record id>"),
        edit_key(environment, "<record id>"),
    ):
        assert f"\n{key} " in PAGE


def test_the_age_at_which_left_overs_go_is_the_one_that_is_used() -> None:
    assert f"when it is {SPARED.total_seconds() / 3600:.0f} hours old" in PAGE
