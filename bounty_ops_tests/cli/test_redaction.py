"""No secret that a command knows survives in what it prints about a failure."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.cli.redaction import Redaction
from bounty_ops.environments import load_settings


def test_a_secret_disappears_in_plain_and_percent_encoded_form() -> None:
    redaction = Redaction()
    redaction.add(["p@ss/w:rd"])
    shown = redaction.apply("plain p@ss/w:rd, encoded p%40ss%2Fw%3Ard")
    assert shown == "plain ***, encoded ***"


def test_every_secret_of_the_settings_is_learned(tmp_path: object) -> None:
    del tmp_path
    redaction = Redaction()
    redaction.learn(
        load_settings(
            environ={
                "DATABASE_URL": "postgresql://bounty:planted-db-1@db.example/bounty",
                "OPS_DATABASE_URL": "postgresql://ops:planted-ops-2@ops.example/ops",
                "BACKUP_BUCKET": "s3://bucket",
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": "planted-s3-3",
                "AWS_SESSION_TOKEN": "planted-token-4",
                "ALERT_URL": "json://planted-alert-5@alerts.example",
            },
        )
    )
    said = "planted-db-1 planted-ops-2 planted-s3-3 planted-token-4"
    shown = redaction.apply(f"{said} json://planted-alert-5@alerts.example")
    assert "planted" not in shown


def test_secrets_for_other_programs_are_learned_from_their_variables() -> None:
    redaction = Redaction()
    redaction.learn_variables({"PGPASSWORD": "planted-pg", "HOME": "/home/somebody"})
    assert redaction.apply("planted-pg /home/somebody") == "*** /home/somebody"


def test_its_own_form_does_not_show_them() -> None:
    redaction = Redaction()
    redaction.add(["planted"])
    assert "planted" not in repr(redaction)


_SECRETS = st.text(min_size=3, max_size=12)


@given(st.lists(_SECRETS, min_size=1, max_size=4), st.text(), st.text())
def test_no_secret_survives_whatever_stands_around_it(
    secrets: list[str], before: str, after: str
) -> None:
    redaction = Redaction()
    redaction.add(secrets)
    for secret in secrets:
        shown = redaction.apply(f"{before}\n{secret}\n{quote(secret, safe='')}\n{after}")
        # The mask itself, or what stands around, may happen to hold a short secret.
        middle = shown.split("\n")
        if secret not in "***" and secret not in before and secret not in after:
            assert secret not in middle
