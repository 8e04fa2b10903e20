"""A schema as a set of named objects, each with the facts that make it what it is.

An object's facts are what two databases must have alike. What legitimately differs does not stand
among them: the order of columns, owners and grants (they are kept apart), sizes, versions, and the
two or three ways in which PostgreSQL 14 to 18 write down one and the same thing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: A kind and a name, such as ``("column", "bounty", "title")`` or ``("enum", "bounty_status")``.
Key = tuple[str, ...]

#: Kinds whose second part names the table (or view) that they belong to.
PARTS: Final = frozenset({"column", "default", "constraint", "trigger", "rule", "policy"})

#: Extensions that watch a server or repair it and leave no trace in what an application sees.
#: Platforms and operators add them to a database; that is no drift.
OBSERVERS: Final = frozenset(
    {
        "adminpack",
        "amcheck",
        "aiven_extras",
        "azure",
        "google_vacuum_mgmt",
        "hypopg",
        "neon",
        "neon_utils",
        "pageinspect",
        "pg_buffercache",
        "pg_freespacemap",
        "pg_hint_plan",
        "pg_prewarm",
        "pg_proctab",
        "pg_qualstats",
        "pg_repack",
        "pg_stat_kcache",
        "pg_stat_monitor",
        "pg_stat_statements",
        "pg_surgery",
        "pg_visibility",
        "pg_wait_sampling",
        "pg_walinspect",
        "pgaudit",
        "pgrowlocks",
        "pgstattuple",
        "powa",
        "rds_tools",
        "supabase_vault",
        "system_stats",
    }
)


@dataclass(frozen=True)
class Item:
    """One object of a schema."""

    key: Key
    facts: Mapping[str, str]
    """What is compared: aspect by aspect, in the form that all majors share."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """What is needed to write it down as SQL; never compared."""
    needs: frozenset[Key] = frozenset()
    """The objects that have to be there before this one."""

    @property
    def kind(self) -> str:
        """Such as ``column`` or ``materialized_view``."""
        return self.key[0]

    @property
    def name(self) -> str:
        """For people: ``bounty.title``, ``bounty_status``, ``slug_of(text)``."""
        if self.kind in ("function", "procedure", "aggregate"):
            return f"{self.key[1]}({self.key[2]})"
        return ".".join(self.key[2:] if self.kind == "comment" else self.key[1:])

    @property
    def table(self) -> str | None:
        """The table (or view) that this is a part of."""
        if self.kind in PARTS:
            return self.key[1]
        return self.texts.get("table") if self.kind == "index" else None


@dataclass(frozen=True)
class Catalog:
    """The objects of schema `public`, with what they need and who owns them."""

    major: int
    """Of the server that it was read from; no part of the fingerprint."""
    items: Mapping[Key, Item]
    owners: Mapping[Key, str] = field(default_factory=dict)
    grants: Mapping[Key, Mapping[str, str]] = field(default_factory=dict)
    """For each object, what roles other than its owner may do: role -> privileges."""

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 of all facts: equal if and only if a comparison finds no difference."""
        facts = [[list(item.key), dict(item.facts)] for item in self.compared()]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def compared(self) -> list[Item]:
        """The objects that take part in comparisons, in the order of their names."""
        return [
            item
            for key, item in sorted(self.items.items())
            if not (key[0] == "extension" and key[1] in OBSERVERS)
        ]

    def get(self, *key: str) -> Item | None:
        """One object, such as ``get("column", "bounty", "title")``."""
        return self.items.get(key)

    def of(self, kind: str) -> Iterator[Item]:
        """All objects of a kind, by name."""
        return (item for key, item in sorted(self.items.items()) if key[0] == kind)

    def parts(self, kind: str, table: str) -> list[Item]:
        """A table's columns (in their order), constraints, indexes, triggers ..."""
        found = [item for item in self.of(kind) if item.table == table]
        return sorted(found, key=lambda item: (item.texts.get("position", ""), item.key))

    def document(self) -> dict[str, Any]:
        """The whole as JSON values; `from_document` takes it back."""
        return {
            "major": self.major,
            "items": [
                {
                    "key": list(item.key),
                    "facts": dict(item.facts),
                    "texts": dict(item.texts),
                    "needs": sorted(map(list, item.needs)),
                }
                for item in self.items.values()
            ],
            "owners": [[list(key), owner] for key, owner in self.owners.items()],
            "grants": [[list(key), dict(grants)] for key, grants in self.grants.items()],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Catalog:
        """The catalog that `document` describes."""
        items = (
            Item(
                tuple(each["key"]),
                each["facts"],
                each["texts"],
                frozenset(map(tuple, each["needs"])),
            )
            for each in document["items"]
        )
        return cls(
            major=document["major"],
            items={item.key: item for item in items},
            owners={tuple(key): owner for key, owner in document["owners"]},
            grants={tuple(key): grants for key, grants in document["grants"]},
        )
