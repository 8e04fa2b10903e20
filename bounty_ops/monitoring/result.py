"""What one collection measured, as values: frozen, and the same in JSON and in the store."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

UtcTime = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]

#: `schema` in JSON; as an attribute it would hide one of pydantic's.
SchemaName = Annotated[str, Field(alias="schema")]

#: How often a family is worth its cost: what is happening now, what has been counted since, and
#: what changes slowly.
Cadence = Literal["vitals", "deltas", "tables"]

#: The subject of a family's headline numbers; the subjects of entries hold a space or a dot.
SUMMARY: Final = "summary"


class Entry(BaseModel):
    """One subject that a family measured: a table, an index, a running query."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @property
    def subject(self) -> str:
        """What identifies it within its family."""
        raise NotImplementedError


class FamilyResult(BaseModel):
    """What one family of measurements found: headline numbers, and lists of entries."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    family: ClassVar[str]
    #: The fields that hold entries, each a tuple.
    lists: ClassVar[tuple[str, ...]] = ()
    cadence: ClassVar[Cadence] = "tables"

    def samples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each subject with its measures, ready to be stored; `from_samples` is the way back."""
        yield SUMMARY, self.model_dump(mode="json", by_alias=True, exclude=set(self.lists))
        for name in self.lists:
            for entry in getattr(self, name):
                yield entry.subject, {"list": name, **entry.model_dump(mode="json", by_alias=True)}

    @classmethod
    def from_samples(cls, samples: Mapping[str, Mapping[str, Any]]) -> Self:
        """The family again, from what `samples` gave."""
        values: dict[str, Any] = {**samples[SUMMARY], **{name: [] for name in cls.lists}}
        for subject, measures in samples.items():
            if subject != SUMMARY:
                values[measures["list"]].append(measures)
        return cls.model_validate(values)


@dataclass(frozen=True)
class Unknown:
    """Something that could not be measured: it is neither zero nor healthy."""

    family: str
    subject: str
    reason: str
    remedy: str


F = TypeVar("F", bound=FamilyResult)


@dataclass(frozen=True)
class CollectionResult:
    """One round of measurements of one environment.

    A family is missing from `families` when it was not asked for or could not be measured at
    all; `unknown` says why.
    """

    environment: str
    taken_at: datetime
    seconds: float
    families: Mapping[str, FamilyResult]
    unknown: tuple[Unknown, ...] = ()
    memory: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    """What the next collection needs to know of this one, by family; no part of the result."""

    def family(self, kind: type[F]) -> F | None:
        """The result of one family, None where there is none."""
        found = self.families.get(kind.family)
        return found if isinstance(found, kind) else None

    def to_json(self) -> dict[str, Any]:
        """The whole as plain JSON values: bytes and seconds as numbers, times as ISO 8601 UTC."""
        return {
            "environment": self.environment,
            "taken_at": self.taken_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "seconds": self.seconds,
            "families": {
                name: family.model_dump(mode="json", by_alias=True)
                for name, family in self.families.items()
            },
            "unknown": [vars(unknown) for unknown in self.unknown],
        }

    def to_json_text(self) -> str:
        """The whole as one JSON document."""
        return json.dumps(self.to_json(), ensure_ascii=False, allow_nan=False)
