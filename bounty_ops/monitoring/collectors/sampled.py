"""Which statements cost most, from looks at what runs, where there is no pg_stat_statements."""

import random
import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from bounty_ops.monitoring.fingerprints import fingerprint_of
from bounty_ops.monitoring.literals import strip_literals
from bounty_ops.monitoring.probe import Probe
from bounty_ops.monitoring.result import Entry
from bounty_ops.monitoring.sampling import UNSEEN_SLICES, Run, Sighting, estimate

#: How long a slice is: 20 looks a second, each of about half a millisecond at the server.
SLICE_SECONDS: Final = 0.05


class SampledStatement(Entry):
    """What one statement of one role cost while the collection looked."""

    fingerprint: str
    user: str
    seconds: float
    """An estimate of the time it ran, all sessions together."""
    low_seconds: float
    high_seconds: float
    """The truth lies between these, 95 times in 100."""
    share: float
    """Of the time of all statements that were found."""
    runs: int
    """Executions that were found; there may have been many more short ones."""
    longest_seconds: float
    """For how long one of them had been running at least."""
    text: str
    """The statement without literals."""

    @property
    def subject(self) -> str:
        """Statement and role."""
        return f"sampled {self.fingerprint} {self.user}"


class Sampling(BaseModel):
    """How the statements were sampled, and how exact that is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seconds: float
    """For how long somebody looked; the estimates are of this time alone."""
    looks: int
    looks_per_second: float
    """Of every slice of `1 / looks_per_second` there was one look, at a random moment."""
    found_seconds: float
    """The estimated time of all statements together."""
    unseen_below_seconds: float
    """A statement that is not listed took less than this, with 95 % confidence."""


class Sampled(NamedTuple):
    """What sampling found."""

    sampling: Sampling | None = None
    statements: tuple[SampledStatement, ...] = ()


def collect_sampled(
    probe: Probe,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
) -> Sampled:
    """Look at what runs for `sampling_seconds`, and estimate what it cost.

    Raises:
        psycopg.Error: a look failed.
    """
    slices = round(probe.policy.sampling_seconds / SLICE_SECONDS)
    if not slices:
        return Sampled()
    begun = clock()
    looks: list[list[Sighting]] = []
    known: dict[bytes, tuple[str, str]] = {}
    for number in range(slices):
        sleep(max(0.0, begun + (number + chance()) * SLICE_SECONDS - clock()))
        looks.append(list(_look(probe, known)))
    # On a busy machine looks come late; each of them stands for a larger part of the time.
    seconds = max(clock() - begun, slices * SLICE_SECONDS)
    return _sampled(looks, seconds, probe.policy.statements_listed)


def _look(probe: Probe, known: dict[bytes, tuple[str, str]]) -> Iterable[Sighting]:
    for pid, user, began, seconds, typed in probe.rows("active"):
        if typed not in known:
            text = typed.decode("utf-8", errors="replace")
            known[typed] = strip_literals(text), fingerprint_of(text)
        text, fingerprint = known[typed]
        yield Sighting(Run(pid, began), fingerprint, user, text, max(0.0, seconds))


def _sampled(looks: list[list[Sighting]], seconds: float, most: int) -> Sampled:
    slice_seconds = seconds / len(looks)
    estimates = estimate(looks, slice_seconds)
    found = sum(each.seconds for each in estimates)
    sampling = Sampling(
        seconds=seconds,
        looks=len(looks),
        looks_per_second=1 / slice_seconds,
        found_seconds=found,
        unseen_below_seconds=UNSEEN_SLICES * slice_seconds,
    )
    statements = tuple(
        SampledStatement(
            fingerprint=each.fingerprint,
            user=each.user,
            seconds=each.seconds,
            low_seconds=each.low,
            high_seconds=each.high,
            share=each.seconds / found,
            runs=each.runs,
            longest_seconds=each.longest,
            text=each.text,
        )
        for each in estimates[:most]
    )
    return Sampled(sampling, statements)
