"""The diagram and the dictionary say what the models say, and so do the committed files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

import bounty_ops
from bounty_ops.schema.bounty import Base
from bounty_ops.studio import diagram, dictionary
from bounty_ops.studio.shape import enum_shapes, table_shapes

if TYPE_CHECKING:
    from bounty_ops_tests.studio.conftest import Visitor

_REFERENCE = Path(bounty_ops.__file__).parents[1] / "docs" / "reference"
_SVG = "{http://www.w3.org/2000/svg}"


def test_the_committed_files_are_what_the_models_give() -> None:
    page = (_REFERENCE / "data-dictionary.md").read_text(encoding="utf-8")
    picture = (_REFERENCE / "er-diagram.svg").read_text(encoding="utf-8")
    assert page == dictionary.page(), "python -m bounty_ops.studio.dictionary makes it anew"
    assert picture == diagram.draw(), "python -m bounty_ops.studio.diagram makes it anew"


def test_the_dictionary_is_complete() -> None:
    shapes = {table.name: table for table in table_shapes()}
    assert set(shapes) == set(Base.metadata.tables)
    assert len(enum_shapes()) == 16
    for name, table in Base.metadata.tables.items():
        assert [one.name for one in shapes[name].columns] == [one.name for one in table.columns]
        for column, shown in zip(table.columns, shapes[name].columns, strict=True):
            targets = {one.column.table.name for one in column.foreign_keys}
            assert {shown.target} - {""} == targets
            assert shown.nullable is column.nullable
        assert shapes[name].meaning, name


def test_the_diagram_has_every_table_and_reference() -> None:
    picture = ET.fromstring(diagram.draw())  # noqa: S314 - ours
    groups = {one.get("id") for one in picture.iter(f"{_SVG}g")} - {None}
    assert groups == {f"table-{name}" for name in Base.metadata.tables}
    references = sum(len(table.foreign_keys) for table in Base.metadata.tables.values())
    assert len(list(picture.iter(f"{_SVG}path"))) == references
    drawn = [one for one in picture.iter(f"{_SVG}g") if one.get("class") == "edge"]
    # Lines to the table that nearly all refer to would hide the others; columns name it.
    assert {one.get("data-to") for one in drawn if one.get("opacity") == "0"} == {"user"}
    words = [one.text or "" for one in picture.iter(f"{_SVG}text")]
    to_it = sum(one.get("data-to") == "user" for one in drawn)
    assert sum(one.startswith("→ user") for one in words) == to_it
    for domain in {table.domain for table in table_shapes()}:
        assert domain.replace("_", " ") in words


def test_one_table_is_drawn_with_its_neighbours() -> None:
    picture = ET.fromstring(diagram.draw("bounty_vote", link=lambda name: f"?t={name}&x=<"))  # noqa: S314 - ours
    groups = {one.get("id") for one in picture.iter(f"{_SVG}g")} - {None}
    assert groups == {"table-bounty_vote", "table-bounty", "table-user"}
    assert len(list(picture.iter(f"{_SVG}path"))) == 2
    assert "?t=user&x=<" in {one.get("href") for one in picture.iter(f"{_SVG}a")}
    for table in Base.metadata.tables:
        ET.fromstring(diagram.draw(table))  # noqa: S314 - ours
    with pytest.raises(KeyError):
        diagram.draw("nothing")


def test_the_pages_show_them(reader: Visitor) -> None:
    visitor = reader
    assert 'id="table-bounty"' in visitor.get("/diagram").text
    one = visitor.get("/diagram", table="bounty_vote").text
    assert 'id="table-bounty_vote"' in one
    assert 'id="table-passkey"' not in one
    assert visitor.get("/diagram", table="nothing").status == 404
    page = visitor.get("/dictionary").text
    assert "A paid task" in page
    assert "revision_requested" in page
