"""How many rows each table gets, and in which order the tables are written; decided purely."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import MetaData

#: How the tables of Bounty compare in size, in thousandths of the user table's share times 60.
#: The order counts where shares round alike: the table named first gets the row.
WEIGHTS: Final[Mapping[str, int]] = {
    "user": 60,
    "organization": 66,  # one of his own for every user, and teams
    "member": 80,
    "account": 67,
    "bounty": 48,
    "user_profile": 54,
    "user_reputation": 52,
    "onboarding_state": 56,
    "onboarding_coupon": 18,
    "feature_vote": 20,
    "passkey": 8,
    "session": 85,
    "verification": 20,
    "rate_limit": 20,
    "email_otp": 16,
    "oauth_state": 8,
    "device_code": 4,
    "invitation": 10,
    "github_installation": 9,
    "linear_account": 5,
    "bounty_links": 40,
    "bounty_application": 50,
    "submission": 45,
    "cancellation_request": 4,
    "bounty_comment": 85,
    "bounty_comment_like": 70,
    "bounty_vote": 75,
    "bounty_bookmark": 40,
    "payout": 13,
    "transaction": 45,
    "user_rating": 14,
    "notification": 130,
    "admin_events": 40,
    "moderation_flags": 8,
    "waitlist": 25,
    "beta_application": 10,
    "invite": 8,
}

#: Fewer rows cannot tell a coherent story over all tables (somebody works, somebody pays, ...).
MINIMUM_ROWS: Final = 10 * len(WEIGHTS)

#: What a table's rows look at besides its foreign keys: soft references, and sums over others.
LOOKS_AT: Final[Mapping[str, tuple[str, ...]]] = {
    "session": ("organization",),
    "github_installation": ("organization",),
    "linear_account": ("organization",),
    "bounty": ("github_installation", "linear_account"),
    "user_reputation": ("bounty", "payout", "user_rating"),
    "notification": ("bounty", "bounty_comment", "submission"),
    "admin_events": ("bounty", "bounty_comment", "organization", "submission"),
    "moderation_flags": ("bounty", "bounty_comment", "submission"),
}


def plan_rows(total: int) -> dict[str, int]:
    """Deal `total` rows to all 37 tables: at least one each, the rest by weight, none left over.

    Raises:
        UsageError: `total` is less than `MINIMUM_ROWS`.
    """
    if total < MINIMUM_ROWS:
        raise UsageError(
            f"{total} rows are too few for {len(WEIGHTS)} tables that fit together",
            hint=f"Ask for at least {MINIMUM_ROWS} rows.",
        )
    spare, whole = total - len(WEIGHTS), sum(WEIGHTS.values())
    rows = {table: 1 + spare * weight // whole for table, weight in WEIGHTS.items()}
    # Largest remainder first; the sort is stable, so the order of WEIGHTS decides between equals.
    by_remainder = sorted(WEIGHTS, key=lambda table: -(spare * WEIGHTS[table] % whole))
    for table in by_remainder[: total - sum(rows.values())]:
        rows[table] += 1
    return rows


def table_order(metadata: MetaData) -> tuple[str, ...]:
    """Order the tables so that what a row refers to or looks at is written before it.

    A table that refers to itself is no obstacle: PostgreSQL checks when the COPY ends. Tables that
    refer to each other in a circle would be one; graphlib.CycleError names them.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        parents = {key.column.table.name for key in table.foreign_keys} - {table.name}
        sorter.add(table.name, *sorted(parents), *LOOKS_AT.get(table.name, ()))
    return tuple(sorter.static_order())
