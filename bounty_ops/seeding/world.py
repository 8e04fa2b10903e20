"""What the tables of one seeding know of each other, in a few numbers a row.

Ids are computed (`identifiers`), so a later table needs only row numbers and some facts: who made
a bounty, how it stands, when it was. They are kept in arrays of machine integers, about fifty
bytes for a user or a bounty and nothing for most tables, so a load of millions of rows stays small.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.seeding.draws import Draws, Permutation, coprime_step
from bounty_ops.seeding.identifiers import tokens, uuids
from bounty_ops.seeding.period import Period, Stamps
from bounty_ops.seeding.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: A row as COPY's text format takes it: whatever has no type of its own here is text.
Row = tuple[str | int | bool | None, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One table's columns, and the function that makes that many rows of it."""

    columns: tuple[str, ...]
    rows: Callable[[World, int], Iterator[Row]]


#: Tables whose ids the application makes itself (no default in the schema).
TOKEN_TABLES: Final = frozenset(
    {
        "account",
        "invitation",
        "member",
        "organization",
        "passkey",
        "rate_limit",
        "session",
        "user",
        "verification",
    }
)

#: Kept as lists, about ninety bytes a row: every second value of the sample data is one of them.
_REFERRED_TO_OFTEN: Final = frozenset({"bounty", "organization", "user"})

NOBODY: Final = -1


def _numbers() -> array[int]:
    return array("q")


@dataclass(slots=True)
class People:
    """Facts of every user, by row number; the sums are filled in by later tables."""

    created: array[int] = field(default_factory=_numbers)
    bounties_created: array[int] = field(default_factory=_numbers)
    bounties_won: array[int] = field(default_factory=_numbers)
    cents_earned: array[int] = field(default_factory=_numbers)
    ratings: array[int] = field(default_factory=_numbers)
    rating_sum: array[int] = field(default_factory=_numbers)
    installation: array[int] = field(default_factory=_numbers)  # a row number, or NOBODY
    linear: array[int] = field(default_factory=_numbers)  # likewise

    def add(self, created: int) -> None:
        """Take in one more user."""
        self.created.append(created)
        for sums in (self.bounties_created, self.bounties_won, self.cents_earned):
            sums.append(0)
        self.ratings.append(0)
        self.rating_sum.append(0)
        self.installation.append(NOBODY)
        self.linear.append(NOBODY)


@dataclass(slots=True)
class Accounts:
    """Whose each account is, who signs in through GitHub, and which accounts are Linear's."""

    user: array[int] = field(default_factory=_numbers)
    created: array[int] = field(default_factory=_numbers)
    by_github: bytearray = field(default_factory=bytearray)  # a flag for every user
    linear: array[int] = field(default_factory=_numbers)


@dataclass(slots=True)
class Organizations:
    """Who owns each organization, and since when."""

    owner: array[int] = field(default_factory=_numbers)
    created: array[int] = field(default_factory=_numbers)


@dataclass(slots=True)
class Bounties:
    """Facts of every bounty, by row number, and the row numbers of some kinds of them."""

    creator: array[int] = field(default_factory=_numbers)
    worker: array[int] = field(default_factory=_numbers)
    created: array[int] = field(default_factory=_numbers)
    settled: array[int] = field(default_factory=_numbers)  # completed, cancelled, or last touched
    cents: array[int] = field(default_factory=_numbers)
    status: list[str] = field(default_factory=list)  # references to five texts, not copies
    public: array[int] = field(default_factory=_numbers)
    completed: array[int] = field(default_factory=_numbers)
    cancelled: array[int] = field(default_factory=_numbers)
    funded: array[int] = field(default_factory=_numbers)


@dataclass(slots=True)
class Comments:
    """Of every comment: on which bounty and when."""

    bounty: array[int] = field(default_factory=_numbers)
    created: array[int] = field(default_factory=_numbers)


class World:
    """One seeding: how many rows each table gets, and what the tables so far have told."""

    def __init__(self, seed: int, counts: Mapping[str, int]) -> None:
        self.seed = seed
        self.counts = counts
        self.period = Period.of(seed)
        self.stamp = Stamps()
        self.texts = Texts(seed)
        self.users = counts["user"]
        #: Rank 0 is the busiest user; ranks are drawn with `Draws.head`.
        self.by_rank = Permutation(seed, "users by rank", self.users)
        #: Multiples of it visit every user once: distinct users for one bounty.
        self.stride = coprime_step(self.users)
        self._known_ids: dict[str, list[str]] = {}
        self.people = People()
        self.accounts = Accounts()
        self.organizations = Organizations()
        self.bounties = Bounties()
        self.comments = Comments()

    def draws(self, name: str) -> Draws:
        """Open the stream of draws for a table."""
        return Draws(self.seed, name)

    def ids(self, table: str) -> Callable[[int], str]:
        """Give the function from row numbers of a table to its ids."""
        make = tokens if table in TOKEN_TABLES else uuids
        identify = make(self.seed, table)
        if table not in _REFERRED_TO_OFTEN:
            return identify
        if table not in self._known_ids:
            self._known_ids[table] = [identify(number) for number in range(self.counts[table])]
        return self._known_ids[table].__getitem__

    def busy_user(self, draws: Draws) -> int:
        """Draw a user, the busy ones most."""
        return self.by_rank(draws.head(self.users))

    def other_user(self, draws: Draws, user: int) -> int:
        """Draw a user who is not that one."""
        return (user + 1 + draws.below(self.users - 1)) % self.users
