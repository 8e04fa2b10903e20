"""An incident is pending, fires and is resolved; what nobody sees changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from bounty_ops.alerting.course import Clockwork, Course, Sight, State, proceed
from bounty_ops.alerting.situation import Severity
from bounty_ops.alerting.telling import Change, Told, heard, next_message
from bounty_ops.environments import AlertSettings, Policy
from bounty_ops.environments.alerts import Flapping, RuleSettings
from bounty_ops_tests.alerting.measures import NOW

MINUTE = timedelta(minutes=1)
SETTINGS = AlertSettings.of("production", Policy(protected=True))
FIRES, HEALTHY, UNKNOWN, HELD = Sight.FIRES, Sight.HEALTHY, Sight.UNKNOWN, Sight.HELD


class Life:
    """One subject, looked at every minute."""

    def __init__(self, settings: AlertSettings = SETTINGS, /, **rule: object) -> None:
        self.rule = RuleSettings.model_validate(rule)
        self.settings = settings
        self.minute = 0
        self.course: Course | None = None
        self.told = Told()
        self.messages: list[tuple[int, Change]] = []
        self.states: list[State | None] = []
        self._earlier: tuple[object, ...] = ()

    def look(
        self,
        sight: Sight,
        severity: Severity = Severity.WARNING,
        *,
        minutes: int = 1,
        withheld: bool = False,
        acknowledged: bool = False,
    ) -> None:
        """See the same for some minutes."""
        for _ in range(minutes):
            now = NOW + self.minute * MINUTE
            before = self.course
            self.course = proceed(
                before,
                sight,
                severity,
                Clockwork(self.rule, self.settings.flapping),
                now,
                earlier=() if before is None else before.flips,
            )
            if before is not None and before.state is State.RESOLVED:
                self.told = Told() if self.course is not None else self.told
            if self.course is not None:
                self._tell(self.course, now, withheld=withheld, acknowledged=acknowledged)
            elif before is not None and before.state is State.RESOLVED:
                self.course = before  # as the history keeps it
            self.states.append(None if self.course is None else self.course.state)
            self.minute += 1

    def _tell(self, course: Course, now: object, *, withheld: bool, acknowledged: bool) -> None:
        change = next_message(
            course,
            self.told,
            settings=self.settings,
            rule=self.rule,
            withheld=withheld,
            acknowledged=acknowledged,
            now=now,  # type: ignore[arg-type] # a moment
        )
        if change is not None:
            self.told = heard(self.told, change, course, now)  # type: ignore[arg-type] # a moment
            self.messages.append((self.minute, change))

    @property
    def changes(self) -> list[Change]:
        return [change for _, change in self.messages]


def test_what_does_not_last_is_never_told() -> None:
    life = Life(**{"for": "5m"})
    life.look(FIRES, minutes=5)
    assert life.states[-1] is State.PENDING
    life.look(HEALTHY)
    assert life.course is None
    assert life.messages == []


def test_what_lasts_is_told_once_and_its_end_once() -> None:
    life = Life(**{"for": "5m"})
    life.look(FIRES, minutes=60)
    life.look(HEALTHY, minutes=60)
    assert life.messages == [(5, Change.FIRING), (60, Change.RESOLVED)]


def test_a_critical_one_has_a_time_of_its_own() -> None:
    life = Life(**{"for": "5m", "critical_for": "2m"})
    life.look(FIRES, Severity.CRITICAL, minutes=3)
    assert life.messages == [(2, Change.FIRING)]
    assert life.told.severity is Severity.CRITICAL


def test_growing_graver_is_told_when_that_has_lasted() -> None:
    life = Life(critical_for="3m")
    life.look(FIRES, minutes=5)
    life.look(FIRES, Severity.CRITICAL, minutes=2)
    life.look(FIRES, minutes=5)  # it did not last
    assert life.changes == [Change.FIRING]
    life.look(FIRES, Severity.CRITICAL, minutes=10)
    life.look(FIRES, minutes=5)
    assert life.messages == [(0, Change.FIRING), (15, Change.GRAVER)]


def test_it_has_to_be_over_for_as_long_as_the_rule_says() -> None:
    life = Life(keep_firing_for="10m")
    life.look(FIRES)
    life.look(HEALTHY, minutes=10)
    assert life.changes == [Change.FIRING]
    life.look(FIRES)
    life.look(HEALTHY, minutes=10)
    assert life.changes == [Change.FIRING]
    life.look(HEALTHY)
    assert life.changes == [Change.FIRING, Change.RESOLVED]


def test_between_the_thresholds_it_neither_begins_nor_ends() -> None:
    life = Life()
    life.look(HELD, minutes=5)
    assert life.course is None
    life.look(FIRES)
    life.look(HELD, minutes=60)
    assert life.changes == [Change.FIRING]
    life.look(HEALTHY)
    assert life.changes == [Change.FIRING, Change.RESOLVED]


def test_it_is_repeated_until_somebody_acknowledges_it() -> None:
    life = Life(repeat="10m")
    life.look(FIRES, minutes=25)
    assert life.messages == [(0, Change.FIRING), (10, Change.REMINDER), (20, Change.REMINDER)]
    life.look(FIRES, minutes=60, acknowledged=True)
    assert len(life.messages) == 3
    life.look(FIRES, Severity.CRITICAL, acknowledged=True)
    life.look(HEALTHY, acknowledged=True)
    assert life.changes[3:] == [Change.GRAVER, Change.RESOLVED]


def test_what_a_silence_held_back_is_told_when_it_ends_and_only_if_it_is_still_so() -> None:
    life = Life()
    life.look(FIRES, minutes=5, withheld=True)
    life.look(HEALTHY, withheld=True)
    assert life.messages == []
    life.look(FIRES, minutes=5, withheld=True)
    life.look(FIRES, minutes=5)
    assert life.changes == [Change.FIRING]
    life.look(HEALTHY, withheld=True)
    assert life.changes == [Change.FIRING, Change.RESOLVED]


def test_what_comes_and_goes_is_told_once_and_then_left_alone_until_it_is_over() -> None:
    life = Life()
    for _ in range(30):
        life.look(FIRES)
        life.look(HEALTHY)
    told_while_it_flapped = list(life.changes)
    life.look(HEALTHY, minutes=60)
    assert told_while_it_flapped == [
        Change.FIRING,
        Change.RESOLVED,
        Change.FIRING,
        Change.RESOLVED,
        Change.FIRING,
        Change.RESOLVED,
        Change.FLAPPING,
    ]
    assert life.changes == [*told_while_it_flapped, Change.RESOLVED]


def test_what_came_and_went_and_then_stays_is_told_to_stay() -> None:
    life = Life()
    for _ in range(10):
        life.look(FIRES)
        life.look(HEALTHY)
    life.look(FIRES, minutes=60)
    assert life.changes[-2:] == [Change.FLAPPING, Change.STEADY]
    life.look(HEALTHY)
    assert life.changes[-1] is Change.RESOLVED


def test_development_is_never_told() -> None:
    life = Life(AlertSettings.of("development", Policy()), repeat="1m")
    life.look(FIRES, Severity.CRITICAL, minutes=60)
    life.look(HEALTHY, minutes=60)
    assert life.messages == []
    assert State.FIRING in life.states


def test_what_is_for_the_record_only_is_never_told() -> None:
    life = Life(repeat="1m")
    life.look(FIRES, Severity.INFO, minutes=60)
    assert life.states[-1] is State.FIRING
    life.look(HEALTHY)
    assert life.messages == []


_sights = st.lists(
    st.tuples(
        st.sampled_from(list(Sight)),
        st.sampled_from(list(Severity)),
        st.integers(1, 20),
        st.booleans(),
        st.booleans(),
    ),
    max_size=25,
)
_rules = st.fixed_dictionaries(
    {
        "for": st.integers(0, 600),
        "critical_for": st.integers(0, 600),
        "keep_firing_for": st.integers(0, 900),
        "repeat": st.integers(0, 1_800),
    }
)
_flapping = st.builds(
    Flapping,
    changes=st.integers(3, 6),
    within=st.integers(60, 7_200),
    quiet=st.integers(0, 3_600),
)


@given(_sights, _rules, _flapping)
def test_whatever_happens_a_course_keeps_its_promises(
    sights: list[tuple[Sight, Severity, int, bool, bool]],
    rule: dict[str, int],
    flapping: Flapping,
) -> None:
    life = Life(SETTINGS.model_copy(update={"flapping": flapping}), **rule)
    for sight, severity, minutes, withheld, acknowledged in sights:
        for _ in range(minutes):
            before, count = life.course, len(life.messages)
            life.look(sight, severity, withheld=withheld, acknowledged=acknowledged)
            after = life.course
            # Never resolved by what is unknown; nothing at all changes by it.
            if sight is UNKNOWN and before is not None and before.state is not State.RESOLVED:
                assert after == before
            # One message for one change of state, and none for what is pending.
            assert len(life.messages) <= count + 1
            if after is not None and after.state is State.PENDING:
                assert len(life.messages) == count
            if after is not None and after.state is State.FIRING:
                # Nothing fires before it has lasted.
                lasted = (after.fired_at or NOW) - after.opened_at
                shortest = min(rule["for"], rule["critical_for"])
                assert lasted >= timedelta(seconds=shortest)
            if withheld and len(life.messages) > count:
                assert life.changes[-1] is Change.RESOLVED
    _grammar(life.changes)


def _grammar(changes: list[Change]) -> None:
    """Messages come as beginnings, what happens in between, and ends, in this order."""
    is_open = False
    for change in changes:
        if change is Change.FIRING:
            assert not is_open
            is_open = True
        elif change is Change.FLAPPING:
            is_open = True
        else:
            assert is_open
            is_open = change is not Change.RESOLVED


@given(_sights, _rules)
@example(
    [(each, Severity.INFO, 1, False, False) for each in (FIRES, HEALTHY, HEALTHY, UNKNOWN)],
    {"for": 0, "critical_for": 0, "keep_firing_for": 1, "repeat": 0},
)
def test_what_nobody_sees_can_be_left_out(
    sights: list[tuple[Sight, Severity, int, bool, bool]], rule: dict[str, int]
) -> None:
    """Looks that saw nothing change no state, wherever they stand between the others."""
    by = Clockwork(RuleSettings.model_validate(rule), SETTINGS.flapping)
    course: Course | None = None
    alone: Course | None = None
    for number, (sight, severity, *_) in enumerate(sights):
        now = NOW + number * MINUTE
        course = proceed(course, sight, severity, by, now)
        if sight is not UNKNOWN:
            alone = proceed(alone, sight, severity, by, now)
        assert _while_open(course) == _while_open(alone)


def _while_open(course: Course | None) -> Course | None:
    """Of one that is over, or was never there, nothing is open."""
    return None if course is None or course.state is State.RESOLVED else course


def test_a_resolved_course_is_never_changed() -> None:
    by = Clockwork(RuleSettings(), SETTINGS.flapping)
    begun = proceed(None, FIRES, Severity.WARNING, by, NOW)
    over = proceed(begun, HEALTHY, Severity.INFO, by, NOW + MINUTE)
    assert over is not None
    assert over.state is State.RESOLVED
    assert proceed(over, HEALTHY, Severity.INFO, by, NOW + 2 * MINUTE) is None
    again = proceed(over, FIRES, Severity.WARNING, by, NOW + 2 * MINUTE)
    assert again is not None
    assert again == replace(again, opened_at=NOW + 2 * MINUTE, resolved_at=None)
