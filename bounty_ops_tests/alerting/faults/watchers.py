"""Whoever watches cannot see, cannot write down, or cannot tell anybody."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, text, update

from bounty_ops.alerting import Rule
from bounty_ops.schema.ops import Notification, NotificationDelivery
from bounty_ops_tests.alerting.faults.place import MINUTE, Place
from bounty_ops_tests.alerting.faults.table import Fault, fault
from bounty_ops_tests.alerting.outbox_rows import fires

if TYPE_CHECKING:
    from collections.abc import Generator

FAULTS: Final[list[Fault]] = []
NOBODY: Final = "http://127.0.0.1:9"


@fault(
    FAULTS,
    Rule.SERVER_UNREACHABLE,
    "the database's address is one that nobody listens at",
    "127.0.0.1:9",
    grave=True,
)
def nobody_listens(place: Place) -> Generator[None, None, None]:
    here = place.url
    yield
    place.url, place.measures = replace(here, host="127.0.0.1", port=9), False
    place.write()
    yield
    place.url, place.measures = here, True
    place.write()


@fault(
    FAULTS,
    Rule.BUCKET_UNREACHABLE,
    "the store's address is one that nobody listens at",
    "the bucket cannot be reached",
    grave=True,
)
def no_store(place: Place) -> Generator[None, None, None]:
    here = place.variables["AWS_ENDPOINT_URL_S3"]
    yield
    place.variables["AWS_ENDPOINT_URL_S3"] = NOBODY
    place.write()
    yield
    place.variables["AWS_ENDPOINT_URL_S3"] = here
    place.write()


@fault(
    FAULTS,
    Rule.OPERATIONS_UNREACHABLE,
    "the operations database's address is one that nobody listens at",
    "the operations database cannot be reached",
    "127.0.0.1:9",
    grave=True,
    unsaid=("secret-word",),
)
def no_operations_database(place: Place) -> Generator[None, None, None]:
    here = place.variables["OPS_DATABASE_URL"]
    place.forget_outages()
    yield
    place.variables["OPS_DATABASE_URL"] = "postgresql://role:secret-word@127.0.0.1:9/ops"
    place.measures = False
    place.write()
    yield
    place.variables["OPS_DATABASE_URL"], place.measures = here, True
    place.write()


@fault(
    FAULTS,
    Rule.ALERT_SETTINGS_WRONG,
    "bounty_ops.toml names a rule that does not exist",
    "the defaults are in force",
    "blockin",
)
def a_misspelt_rule(place: Place) -> Generator[None, None, None]:
    yield
    place.rules["blockin"] = {"warning": 30}
    place.write()
    yield
    del place.rules["blockin"]
    place.write()


@fault(
    FAULTS,
    Rule.MESSAGES_UNDELIVERED,
    "a second channel answers 404 three times",
    "1 message was given up",
    "404",
)
def a_channel_that_refuses(place: Place) -> Generator[None, None, None]:
    from bounty_ops_tests.alerting.conftest import Webhook  # noqa: PLC0415 - it is a plugin

    with closing(Webhook()) as other:
        place.variables["SECOND_URL"] = other.document_url
        place.channels.append("SECOND_URL")
        place.write()
        yield
        other.answers = [404] * 3
        fires(place.operations, environment=place.name, now=place.now)
        for _ in range(3):
            place.look()
            _pauses_are_over(place)
        other.answers = [404] * 99
        yield
        other.answers.clear()
        _pauses_are_over(place)
        place.look()  # which brings it what it had not got, before the rule looks again


def _pauses_are_over(place: Place) -> None:
    """What waits for its next attempt is due."""
    ours = NotificationDelivery.notification_id == Notification.id
    with place.operations.begin() as connection:
        connection.execute(
            update(NotificationDelivery)
            .where(ours, Notification.environment == place.name)
            .values(next_attempt_at=func.now() - text("'1h'::interval"))
        )


@fault(
    FAULTS,
    Rule.MONITORING_BLIND,
    "a role that may not read pg_sequence",
    "sequences could not be measured",
    "permission denied",
)
def a_role_without_rights(place: Place) -> Generator[None, None, None]:
    here, role = place.url, f"blind_{place.url.database}"
    place.execute("CREATE ROLE {} LOGIN PASSWORD 'x' IN ROLE pg_monitor", role)
    place.url = replace(here, user=role, password="x")
    place.write()
    try:
        yield
        place.execute("REVOKE SELECT ON pg_catalog.pg_sequence FROM PUBLIC", url=here)
        yield
        place.execute("GRANT SELECT ON pg_catalog.pg_sequence TO PUBLIC", url=here)
        yield
    finally:
        place.url = here
        place.execute("DROP OWNED BY {}; DROP ROLE {}", role, role)


@fault(
    FAULTS,
    Rule.MONITORING_LATE,
    "no sample of statements and settings has been stored for 16 minutes",
    "statements and settings are not being measured",
)
def nobody_measures(place: Place) -> Generator[None, None, None]:
    yield
    place.measures = False
    place.passes(16 * MINUTE)
    yield
    place.measures = True
    place.passes(timedelta(seconds=1))
