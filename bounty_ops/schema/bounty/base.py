"""What all of Bounty's tables share: constraint names, column types and recurring columns."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    ARRAY,
    Boolean,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column


def _referred(constraint: ForeignKeyConstraint, _table: Table) -> str:
    """Return ``user_id`` for a reference to ``user.id``.

    SQLAlchemy's own tokens look the other table up, which may not have been declared yet.
    """
    return constraint.elements[0].target_fullname.replace(".", "_")


# The names that Drizzle gives. They are spelled out because PostgreSQL would choose others, and
# every later migration, here or in Bounty's own tooling, addresses a constraint by its name.
# Indexes have no pattern: each carries its name where it is declared.
NAMING_CONVENTION: dict[str, Any] = {
    "referred": _referred,
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_name)s_unique",
    "fk": "%(table_name)s_%(column_0_name)s_%(referred)s_fk",
}


class Base(DeclarativeBase):
    """The declarative base of Bounty's tables; ``Base.metadata`` describes all of them."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: Integer,
        bool: Boolean,
        # Without time zone, as upstream has it: the application writes UTC.
        datetime: DateTime(timezone=False),
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
    }


GivenId = Annotated[str, mapped_column(primary_key=True)]
"""A primary key that the application makes up."""

GeneratedId = Annotated[
    str, mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
]
"""A primary key that the database makes up: a UUID, kept as text."""

DefaultsToNow = Annotated[datetime, mapped_column(server_default=func.now())]
"""A time that is the row's birth unless the application says otherwise.

``updated_at`` columns are of this kind too: no trigger moves them, the application does.
"""

Flag = Annotated[bool, mapped_column(server_default=false())]
"""A yes or no that starts as no."""


def postgres_enum(labels: type[StrEnum], name: str) -> ENUM:
    """Return the PostgreSQL type ``name`` with the values of ``labels``, in their order.

    The type belongs to the metadata, not to a column, so that it is created even when no column
    uses it.
    """
    return ENUM(
        labels,
        name=name,
        metadata=Base.metadata,
        values_callable=lambda members: [member.value for member in members],
    )
