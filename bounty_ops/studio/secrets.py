"""Which columns open something for whoever reads them, and are hidden unless that was asked for.

The rules of masking say it where there are any: `token` is hidden, `keep` is shown. A column that
no rule calls either is hidden when its name sounds like a secret. It is asked of the server and not
of the models, so a table that nobody knows, and a partition, are covered too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.restore.masking import column_key
from bounty_ops.restore.masking_bounty import bounty_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bounty_ops.environments.masking import Masking

#: What stands in the place of a value.
HIDDEN: Final = "(hidden)"

Key = tuple[str, str, str]
#: Names that are given to secrets. `otp` alone would also be in the name of a laptop.
_SOUNDS: Final = re.compile(
    r"token|secret|passw|pwd|passphrase|(?:^|_)pass$|api_?key|private_?key|encryption_?key|"
    r"(?:^|_)otp(?:_code)?$|credential|cookie|signature|(?:^|_)salt$|recovery_?code|backup_?code",
    re.IGNORECASE,
)
#: Of the server's own relations: passwords, and samples of what columns hold.
_CATALOG: Final = {
    "pg_authid": {"rolpassword"},
    "pg_shadow": {"passwd"},
    "pg_stats": {"most_common_vals", "most_common_elems", "histogram_bounds"},
    "pg_stats_ext": {"most_common_vals"},
    "pg_stats_ext_exprs": {"most_common_vals", "most_common_elems", "histogram_bounds"},
    "pg_statistic": {f"stavalues{number}" for number in range(1, 6)},
    "pg_statistic_ext_data": {"stxdmcv", "stxdexpr"},
    "pg_subscription": {"subconninfo"},
    "pg_user_mapping": {"umoptions"},
    "pg_user_mappings": {"umoptions"},
}

#: Every column of the relations with the names in the one parameter; of all, where that is NULL.
#: A partition goes by the name of the table that it is a part of.
COLUMNS: Final = """
SELECT n.nspname::text, r.relname::text, a.attname::text, own.nspname::text, c.relname::text,
       c.oid::bigint, a.attnum::integer, c.relkind::text,
       t.typcategory IN ('S', 'U', 'A', 'Z') AND e.typtype IS DISTINCT FROM 'e'
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace own ON own.oid = c.relnamespace
  JOIN pg_catalog.pg_class r ON r.oid = COALESCE(pg_catalog.pg_partition_root(c.oid), c.oid)
  JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type e ON e.oid = NULLIF(t.typelem, 0)
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND (%s::text[] IS NULL OR c.relname::text = ANY (%s::text[]))
"""


@dataclass(frozen=True)
class Secrets:
    """What is hidden in one environment."""

    rules: Mapping[Key, str]

    def hides(self, schema: str, table: str, column: str, *, holds_text: bool) -> bool:
        """Whether values of a column are hidden.

        Args:
            schema: of the table, or of the one that it is a partition of.
            table: its name.
            column: its name.
            holds_text: whether it can hold a secret at all; the date when a token expires is none.
        """
        if schema == "pg_catalog":
            return column in _CATALOG.get(table, ())
        rule = self.rules.get((schema, table, column))
        if rule in {"token", "keep"}:
            return rule == "token"
        return holds_text and _SOUNDS.search(column) is not None

    def among(self, rows: Iterable[tuple[object, ...]]) -> dict[tuple[str, str], frozenset[str]]:
        """The hidden columns by schema and relation, of what `COLUMNS` gives."""
        found: dict[tuple[str, str], set[str]] = {}
        for schema, table, column, own_schema, own, _oid, _number, _kind, holds_text in rows:
            if self.hides(str(schema), str(table), str(column), holds_text=bool(holds_text)):
                found.setdefault((str(own_schema), str(own)), set()).add(str(column))
        return {relation: frozenset(columns) for relation, columns in found.items()}


def secrets_of(masking: Masking) -> Secrets:
    """What the rules of masking make of it."""
    rules = bounty_rules() if masking.preset == "bounty" else {}
    own = {column_key(text): rule for text, rule in masking.columns.items()}
    return Secrets({**rules, **own})
