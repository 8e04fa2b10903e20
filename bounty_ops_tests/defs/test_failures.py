"""What an error looks like in Dagster: two lines, no secret, defects with their traceback."""

from __future__ import annotations

import dagster as dg
import pytest

from bounty_ops.defs.failures import Secrets, UnexpectedError, told
from bounty_ops.errors import BackupError, ServerUnavailable

SECRET = "s3cr3t-p@ss"


@pytest.fixture
def secrets() -> Secrets:
    known = Secrets()
    known.learn([SECRET, "p@ss", ""])
    return known


def test_an_error_of_ours_says_what_happened_and_what_to_do(secrets: Secrets) -> None:
    with pytest.raises(dg.Failure) as caught, told(secrets):
        raise BackupError("the dump broke off", hint="Look at the server's log.")
    failure = caught.value
    assert failure.description == "the dump broke off\nLook at the server's log."
    assert failure.metadata["what happened"].value == "the dump broke off"
    assert failure.metadata["what to do"].value == "Look at the server's log."
    assert failure.allow_retries is False


def test_a_databases_error_keeps_its_diagnosis_when_it_leads_to_another(secrets: Secrets) -> None:
    refused = ServerUnavailable("nobody answers", hint="Start it.")
    refused.diagnosis = "connection_refused"
    with pytest.raises(dg.Failure) as caught, told(secrets):
        raise BackupError("no backup", hint="Try again.") from refused
    assert caught.value.metadata["diagnosis"].value == "connection_refused"


def test_the_chain_of_causes_is_cut_because_dagster_would_store_it(secrets: Secrets) -> None:
    with pytest.raises(dg.Failure) as caught, told(secrets):
        raise BackupError("no connection", hint="Try again.") from OSError(f"with {SECRET}")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_secret_is_hidden_even_when_an_error_of_ours_holds_one(secrets: Secrets) -> None:
    with pytest.raises(dg.Failure) as caught, told(secrets):
        raise BackupError(f"with {SECRET}", hint=f"not with {SECRET}")
    assert caught.value.description == "with ***\nnot with ***"


def test_a_defect_keeps_its_own_type(secrets: Secrets) -> None:
    with pytest.raises(ZeroDivisionError), told(secrets):
        _ = 1 / 0


def test_a_defect_whose_text_holds_a_secret_is_shown_without_it(secrets: Secrets) -> None:
    with pytest.raises(UnexpectedError) as caught, told(secrets):
        raise KeyError(f"postgresql://bounty:{SECRET}@host/db")
    shown = str(caught.value)
    assert SECRET not in shown
    assert "KeyError" in shown
    assert "postgresql://bounty:***@host/db" in shown
    assert caught.value.__suppress_context__


def test_a_very_short_secret_does_not_tear_holes_into_every_word() -> None:
    known = Secrets()
    known.learn(["a"])
    assert known.hide("a database") == "a database"
