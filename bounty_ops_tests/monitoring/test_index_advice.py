"""Advice about indexes never makes anything worse, whatever the indexes are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring.collectors.indexes import IndexFacts
from bounty_ops.monitoring.index_advice import redundant_indexes


def _index(number: int, keys: list[str], **facts: bool) -> IndexFacts:
    return IndexFacts(
        schema_name="public",
        table="t",
        name=f"index_{number}",
        method="btree",
        unique=facts["unique"],
        primary=False,
        constraint=f"constraint_{number}" if facts["unique"] and facts["constraint"] else None,
        valid=facts["valid"],
        replica_identity=facts["replica_identity"],
        referenced=facts["referenced"],
        partitioned=False,
        partial=facts["partial"],
        columns=tuple(keys),
        included=(),
        keys=tuple(keys),
        predicate="predicate" if facts["partial"] else None,
        nulls_not_distinct=facts["nulls_not_distinct"],
        bytes=8192,
        exact=True,
        scans=0,
        rows_read=0,
        last_scan=None,
    )


_keys = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
_flags = st.fixed_dictionaries(
    {
        "unique": st.booleans(),
        "constraint": st.booleans(),
        "valid": st.sampled_from([True, True, True, False]),
        "replica_identity": st.sampled_from([False, False, False, True]),
        "referenced": st.sampled_from([False, False, False, True]),
        "partial": st.sampled_from([False, False, True]),
        "nulls_not_distinct": st.sampled_from([False, False, True]),
    }
)
_indexes = st.lists(st.tuples(_keys, _flags), max_size=8).map(
    lambda made: [_index(number, keys, **flags) for number, (keys, flags) in enumerate(made)]
)


@given(_indexes)
def test_after_dropping_every_redundant_index_each_is_replaced_by_one_that_is_left(
    indexes: list[IndexFacts],
) -> None:
    dropped = {index.name for index, _ in redundant_indexes(indexes)}
    left = [index for index in indexes if index.name not in dropped]
    for index in indexes:
        serves_as_well = [
            other
            for other in left
            if other.valid
            and other.keys[: len(index.keys)] == index.keys
            and other.predicate == index.predicate
        ]
        assert serves_as_well or not index.valid


@given(_indexes)
def test_no_rule_is_lost_with_a_redundant_index(indexes: list[IndexFacts]) -> None:
    dropped = {index.name for index, _ in redundant_indexes(indexes)}
    left = [index for index in indexes if index.name not in dropped]

    def rules(of: list[IndexFacts]) -> set[tuple[object, ...]]:
        return {
            (index.keys, index.predicate, index.nulls_not_distinct)
            for index in of
            if index.unique and index.valid
        }

    assert rules(left) == rules(indexes)
    needed = [i for i in indexes if i.constraint or i.replica_identity or i.referenced]
    assert not dropped & {index.name for index in needed}
