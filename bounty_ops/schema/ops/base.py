"""What our own tables share: their schema, constraint names and column types."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

SCHEMA = "bounty_ops"

# PostgreSQL's own pattern, spelled out so that a migration can address what it did not name.
NAMING_CONVENTION = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}


class OpsBase(DeclarativeBase):
    """The declarative base of the operations database; all its tables are in ``bounty_ops``."""

    metadata = MetaData(schema=SCHEMA, naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


GivenId = Annotated[str, mapped_column(primary_key=True)]
"""The id that a record already has in the bucket."""

CountedId = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
"""A number that the database hands out."""

JsonObject = Annotated[dict[str, Any], mapped_column(JSONB, server_default=text("'{}'::jsonb"))]
"""A JSON object, empty unless something is put into it."""

JsonArray = Annotated[list[Any], mapped_column(JSONB, server_default=text("'[]'::jsonb"))]
"""A JSON array, empty unless something is put into it."""
