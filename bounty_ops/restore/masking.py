"""Which columns of a copy are masked and how, decided from the manifest. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ConfigurationError
from bounty_ops.restore.masking_bounty import bounty_rules, bounty_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments.masking import Masking
    from bounty_ops.journal.records import Manifest

Key = tuple[str, str, str]
_IDENTIFIER: Final = r'("(?:[^"]|"")+"|[^\s",.:]+)'
_COLUMN: Final = re.compile(rf"^{_IDENTIFIER}\.{_IDENTIFIER}\.{_IDENTIFIER}: (.*)$", re.DOTALL)
_TABLE: Final = re.compile(rf"^{_IDENTIFIER}\.{_IDENTIFIER}: (?:unlogged, )?(?:ordinary|part)")
_FOREIGN_KEY: Final = re.compile(
    rf"^{_IDENTIFIER}\.{_IDENTIFIER}: .*FOREIGN KEY \(([^)]*)\) REFERENCES ", re.DOTALL
)
#: What may follow the type of a column.
_AFTER_TYPE: Final = re.compile(
    r" (?:collate |not null|identity |generated |default |storage |compression |statistics |"
    r"options )"
)
#: Types that can hold what somebody wrote.
_TEXTUAL: Final = re.compile(
    r"(?:.*\.)?(?:text|character varying|character|varchar|bpchar|citext|jsonb?|xml|inet|cidr|"
    r"bytea|hstore|name)(?:\(\d+\))?(?:\[\])*"
)
#: Names by which personal data and secrets go.
_PERSONAL: Final = re.compile(
    r"e_?mail|phone|mobile|(?:^|_)name$|first_?name|last_?name|full_?name|user_?name|nick|address|"
    r"street|city|zip|postal|birth|gender|ssn|tax|iban|card|passport|(?:^|_)ip(?:_|$)|user_?agent|"
    r"token|secret|passw|api_?key|otp|cookie|stripe|location|latitude|longitude|avatar|bio$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class MaskedColumn:
    """One column, and what its values become."""

    schema: str
    table: str
    column: str
    type: str
    rule: str

    @property
    def key(self) -> Key:
        """Schema, table and column."""
        return (self.schema, self.table, self.column)


@dataclass(frozen=True)
class MaskingPlan:
    """What is going to be masked, and what somebody should have a look at."""

    columns: tuple[MaskedColumn, ...]
    reported: tuple[str, ...]
    """Columns that no rule speaks of and that may hold personal data. They stay as they are."""

    @property
    def digest(self) -> str:
        """SHA-256 over everything that the plan says."""
        content = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def tables(self) -> tuple[tuple[str, str], ...]:
        """The tables with masked columns."""
        return tuple(dict.fromkeys((one.schema, one.table) for one in self.columns))


def plan_masking(masking: Masking, manifest: Manifest) -> MaskingPlan:
    """Apply the rules to the columns that a backup has.

    Raises:
        ConfigurationError: a rule of the configuration is about a column that is not there.
    """
    columns = dict(_columns(manifest))
    preset = bounty_rules() if masking.preset == "bounty" else {}
    own = {column_key(text): rule for text, rule in masking.columns.items()}
    unknown = sorted(".".join(key) for key in own.keys() - columns.keys())
    if unknown:
        raise ConfigurationError(
            f"[masking] has a rule for {unknown[0]}, which the backup {manifest.id} does not have",
            hint="Write `table.column` for a table of public, else `schema.table.column`; a "
            "generated column is masked by what it is generated from.",
        )
    rules = {**preset, **own}
    masked = tuple(
        MaskedColumn(*key, type=kind, rule=rules[key])
        for key, kind in columns.items()
        if rules.get(key, "keep") != "keep"
    )
    ours = bounty_tables() if masking.preset == "bounty" else frozenset()
    references = set(_foreign_keys(manifest))
    reported = sorted(
        ".".join(key)
        for key, kind in columns.items()
        if key not in rules
        and _TEXTUAL.fullmatch(kind)
        and key not in references
        and key[2] != "id"
        and (key[:2] in ours or _PERSONAL.search(key[2]))
    )
    return MaskingPlan(masked, tuple(reported))


def column_key(text: str) -> Key:
    """Schema, table and column of a rule's column, as `[masking.columns]` names it."""
    parts = text.split(".")
    if len(parts) == 2:  # noqa: PLR2004 - table and column
        return ("public", parts[0], parts[1])
    return (parts[0], ".".join(parts[1:-1]), parts[-1])


def _plain(quoted: str) -> str:
    return quoted[1:-1].replace('""', '"') if quoted.startswith('"') else quoted


def _columns(manifest: Manifest) -> Iterator[tuple[Key, str]]:
    """Columns of tables that hold values of their own, with their types."""
    tables = {
        (match[1], match[2])
        for line in manifest.inventory.get("tables", ())
        if (match := _TABLE.match(line)) and ", partition of " not in line
    }
    for line in manifest.inventory.get("columns", ()):
        match = _COLUMN.match(line)
        if match is None or (match[1], match[2]) not in tables:
            continue
        end = _AFTER_TYPE.search(match[4])
        rest = match[4][end.start() :] if end else ""
        if " generated " in rest.partition(" default ")[0]:
            continue
        kind = match[4][: end.start()] if end else match[4]
        yield (_plain(match[1]), _plain(match[2]), _plain(match[3])), kind


def _foreign_keys(manifest: Manifest) -> Iterator[Key]:
    """Columns that refer to others: ids, whatever their name."""
    for line in manifest.inventory.get("constraints", ()):
        match = _FOREIGN_KEY.match(line)
        for column in match[3].split(", ") if match else ():
            yield (_plain(match[1]), _plain(match[2]), _plain(column)) if match else ("", "", "")
