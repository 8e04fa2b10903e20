"""What monitoring measured, kept for years in little space.

A collection says when something was measured, and what. The measures themselves lie in packs: of
each page of up to 64 subjects, what has changed since the page's last key frame of that day (UTC).
Where a collection has a family, and the family's subject has nothing newer in its page, the subject
is unchanged; where it has not, nothing is known. `bounty_ops.monitoring.history` reads and writes
all of it, and docs/reference/history.md describes it.

Tables that grow with time are partitioned by it, so that old ones are dropped and not deleted.
Their DEFAULT partitions take what no partition was made for, and are to be empty.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Sequence,
    SmallInteger,
    Table,
    UniqueConstraint,
    desc,
    event,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.ops.base import SCHEMA, OpsBase

COLLECTION_IDS = Sequence("collection_id_seq", schema=SCHEMA, metadata=OpsBase.metadata)
"""An identity column of a partitioned table would need PostgreSQL 17."""


class Collection(OpsBase):
    """One round of measurements in one environment."""

    __tablename__ = "collection"
    __table_args__ = (
        Index("collection_environment_taken_at_idx", "environment", desc("taken_at"), desc("id")),
        {"postgresql_partition_by": "RANGE (taken_at)"},
    )

    taken_at: Mapped[datetime] = mapped_column(primary_key=True)
    # Those of one environment follow the order in which they were committed; `taken_at` is what
    # somebody's clock said.
    id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, server_default=COLLECTION_IDS.next_value()
    )
    seconds: Mapped[float]
    # Texts: which families were collected and in which order their entries stood; what could not
    # be seen.
    families_id: Mapped[int]
    unknown_id: Mapped[int]
    environment: Mapped[str]
    # JSON, not JSONB: what is kept as a whole comes back as it was.
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Sample(OpsBase):
    """What changed on one page: measures of its subjects, packed."""

    __tablename__ = "sample"
    __table_args__ = ({"postgresql_partition_by": "RANGE (taken_at)"},)

    page_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    collection_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    taken_at: Mapped[datetime] = mapped_column(primary_key=True)
    is_key: Mapped[bool]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class SamplePage(OpsBase):
    """Up to 64 subjects of one environment whose measures lie together."""

    __tablename__ = "sample_page"
    __table_args__ = (Index("sample_page_environment_shelf_idx", "environment", "shelf"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    environment: Mapped[str]
    # The family of its subjects, or "summary" for the headlines of all families.
    shelf: Mapped[str]


class SampleSubject(OpsBase):
    """Something that is measured: a table, an index, the headline of a family."""

    __tablename__ = "sample_subject"
    __table_args__ = (
        UniqueConstraint(
            "environment", "family", "list", "name", name="sample_subject_environment_name_key"
        ),
        UniqueConstraint("page_id", "slot", name="sample_subject_page_id_slot_key"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.sample_page.id"))
    # The last day of which there are samples; it is forgotten when all of those are.
    seen_on: Mapped[date]
    slot: Mapped[int] = mapped_column(SmallInteger)
    environment: Mapped[str]
    family: Mapped[str]
    list: Mapped[str]
    name: Mapped[str]


class SampleText(OpsBase):
    """A text that samples refer to, stored once: names, definitions, how numbers are laid out."""

    __tablename__ = "sample_text"
    __table_args__ = (UniqueConstraint("digest", name="sample_text_digest_key"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    used_on: Mapped[date]
    # Rollups refer to it, which are kept for longer than samples.
    lasting: Mapped[bool]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[str]


class SampleFiveMinutes(OpsBase):
    """A subject's measures of one day, in steps of five minutes."""

    __tablename__ = "sample_5min"
    __table_args__ = ({"postgresql_partition_by": "RANGE (starts_at)"},)

    subject_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class SampleHourly(OpsBase):
    """A subject's measures of one day, in steps of an hour."""

    __tablename__ = "sample_hourly"
    __table_args__ = ({"postgresql_partition_by": "RANGE (starts_at)"},)

    subject_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class SampleRolledDay(OpsBase):
    """A day whose samples were rolled up, so that they may be dropped."""

    __tablename__ = "sample_rolled_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    rolled_at: Mapped[datetime]


def _with_default_partition(model: type[OpsBase]) -> None:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - tells the type checker what a model has
    name = f"{SCHEMA}.{table.name}"
    create = DDL(  # type: ignore[no-untyped-call] # SQLAlchemy says nothing of its parameters
        f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT"
    )
    event.listen(table, "after_create", create)


for _model in (Collection, Sample, SampleFiveMinutes, SampleHourly):
    _with_default_partition(_model)
