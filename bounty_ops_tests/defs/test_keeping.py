"""Keeping through Dagster: pruned only after a proof, copied after it, and a harmless form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from bounty_ops.environments import BucketLocation
from bounty_ops.journal.bucket import Journal
from bounty_ops.journal.records import Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.backup.test_prune import judge
from bounty_ops_tests.journal.examples import a_backup

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops.journal.records import Manifest
    from bounty_ops_tests.defs.conftest import Deployment

RULES = "[defaults]\nkeep_last = 2\nkeep_manual_days = 0\n"


@pytest.fixture
def filled_database(fresh_database: DatabaseUrl) -> DatabaseUrl:
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("CREATE TABLE bounty AS SELECT generate_series(1, 9) AS id")
    return fresh_database


@pytest.fixture
def deployment(
    make_deployment: Callable[..., Deployment], filled_database: DatabaseUrl
) -> Deployment:
    """An unprotected database whose rules keep two backups."""
    return make_deployment(development=filled_database, policy=RULES)


def with_second_bucket(
    deployment: Deployment, s3: ObjectStoreSettings, bucket: str = "copies-of-tests"
) -> Journal:
    """Set a second bucket, which exists if it is the one of the tests."""
    lines = [
        f"BACKUP_COPY_BUCKET=s3://{bucket}/{s3.location.prefix}",
        f"BACKUP_COPY_ENDPOINT_URL={s3.endpoint_url}",
        f"BACKUP_COPY_REGION={s3.region}",
        f"BACKUP_COPY_ACCESS_KEY_ID={s3.access_key_id}",
        f"BACKUP_COPY_SECRET_ACCESS_KEY={s3.secret_access_key}",
    ]
    path = deployment.home / ".env"
    path.write_text("\n".join([path.read_text("utf-8"), *lines]), encoding="utf-8")
    store = ObjectStore(deployment.settings().require_copy_object_store())
    assert store.location == BucketLocation(bucket, s3.location.prefix)
    if bucket == "copies-of-tests":
        store.create_bucket_if_missing()
    return Journal(store)


def old_nights(journal: Journal, count: int) -> list[Manifest]:
    """Proved backups of the nights before this one, newest first."""
    made = []
    for days in range(1, count + 1):
        moment = datetime.now(UTC) - timedelta(days=days)
        manifest = a_backup(
            journal,
            environment="development",
            taken_at=moment,
            finished_at=moment,
            retention_class="scheduled",
        )
        judge(journal, manifest, Verdict.PROVED)
        made.append(manifest)
    return made


def listed(journal: Journal) -> list[str]:
    return [one.id for one in journal.summaries("development")]


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    found = result.get_asset_check_evaluations()
    return {f"{each.asset_key.path[-1]}:{each.check_name}": each for each in found}


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (event,) = [
        each.step_materialization_data.materialization
        for each in result.all_events
        if each.is_step_materialization and each.asset_key == dg.AssetKey(["development", asset])
    ]
    return {name: value.value for name, value in event.metadata.items()}


def observed(deployment: Deployment) -> dict[str, Any]:
    key = dg.AssetKey(["development", "kept_backups"])
    record = deployment.instance.fetch_observations(key, limit=1).records[0]
    observation = record.event_log_entry.asset_observation
    assert observation is not None
    return {name: value.value for name, value in observation.metadata.items()}


def materialize(deployment: Deployment, asset: str) -> dg.ExecuteInProcessResult:
    job = deployment.definitions().resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=deployment.instance,
        asset_selection=[dg.AssetKey(["development", asset])],
        raise_on_error=False,
    )


def test_a_night_copies_what_it_proved_and_prunes_both_buckets(
    deployment: Deployment, s3_prefix: ObjectStoreSettings
) -> None:
    copies = with_second_bucket(deployment, s3_prefix)
    before = old_nights(deployment.journal(), 3)

    result = deployment.run("development_nightly")

    assert result.success
    tonight, *older = listed(deployment.journal())
    assert older == [before[0].id]
    assert listed(copies) == [tonight, before[0].id]
    assert all(one.verdict is Verdict.PROVED for one in copies.summaries("development"))
    found = checks(result)
    assert found["kept_backups:pruned"].passed
    assert found["backup_copies:copied"].passed
    kept, copied = metadata(result, "kept_backups"), metadata(result, "backup_copies")
    assert (kept["kept"], kept["deleted"]) == (2, 2)
    assert (copied["copied"], copied["copies"]) == (2, 2)
    assert copied["newest_proved_copy"] == tonight
    assert copied["sent_bytes"] == copied["read_back_bytes"] > 0


@pytest.mark.soak
def test_nothing_goes_while_the_newest_backup_is_not_proved(deployment: Deployment) -> None:
    journal = deployment.journal()
    before = old_nights(journal, 3)
    newest = a_backup(journal, environment="development", taken_at=datetime.now(UTC))
    for verdict in (None, Verdict.INCONCLUSIVE, Verdict.REFUTED):
        if verdict is not None:
            judge(journal, newest, verdict)
        result = materialize(deployment, "kept_backups")
        assert result.success
        check = checks(result)["kept_backups:pruned"]
        assert check.passed
        assert "nothing may go" in (check.description or "")
        assert len(listed(journal)) == 1 + len(before)


@pytest.mark.soak
def test_a_refused_plan_and_a_second_bucket_that_is_away_are_told_and_fail_no_night(
    make_deployment: Callable[..., Deployment],
    filled_database: DatabaseUrl,
    s3_prefix: ObjectStoreSettings,
) -> None:
    policy = RULES + "prune_most_share = 0.2\n"
    deployment = make_deployment(development=filled_database, policy=policy)
    with_second_bucket(deployment, s3_prefix, bucket="no-such-bucket")
    old_nights(deployment.journal(), 4)

    result = deployment.run("development_nightly")

    assert result.success
    newest = deployment.journal().summaries("development")[0]
    assert newest.verdict is Verdict.PROVED
    found = checks(result)
    assert not found["backup_copies:copied"].passed
    assert "no such bucket" in (found["backup_copies:copied"].description or "")
    assert not found["kept_backups:pruned"].passed
    assert "3 of 5 backups would be deleted" in (found["kept_backups:pruned"].description or "")
    assert len(listed(deployment.journal())) == 5
    assert [one for one in deployment.settings().secrets() if
            one in deployment.everything_told(result)] == []  # fmt: skip


@pytest.mark.soak
def test_a_policy_can_keep_the_night_from_pruning_and_copying(
    make_deployment: Callable[..., Deployment],
    filled_database: DatabaseUrl,
    s3_prefix: ObjectStoreSettings,
) -> None:
    policy = RULES + "prune_nightly = false\ncopy_after_proof = false\n"
    deployment = make_deployment(development=filled_database, policy=policy)
    copies = with_second_bucket(deployment, s3_prefix)
    old_nights(deployment.journal(), 3)
    for asset, said in (
        ("backup_copies", "copy_after_proof is false"),
        ("kept_backups", "prune_nightly is false"),
    ):
        (check,) = checks(materialize(deployment, asset)).values()
        assert (check.passed, check.description) == (True, said)
    assert (len(listed(deployment.journal())), listed(copies)) == (3, [])


def test_the_form_as_it_stands_shows_the_plan_and_deletes_nothing(deployment: Deployment) -> None:
    before = old_nights(deployment.journal(), 4)
    result = deployment.run("development_prune_backups")
    assert result.success
    assert len(listed(deployment.journal())) == 4
    shown = observed(deployment)
    assert (shown["to_delete"], shown["deleted"]) == (2, 0)
    assert shown["digest"] in shown["next_step"]
    assert before[3].id in shown["delete"]

    wrong = deployment.run("development_prune_backups", {"apply": "0" * 64})
    assert "another digest" in (deployment.failure(wrong).description or "")
    assert len(listed(deployment.journal())) == 4

    done = deployment.run("development_prune_backups", {"apply": f" {shown['digest']} "})
    assert done.success
    assert listed(deployment.journal()) == [before[0].id, before[1].id]
    assert observed(deployment)["deleted"] == 2
    again = deployment.run("development_prune_backups")
    assert again.success
    assert observed(deployment)["next_step"] == "Nothing is to be deleted."


@pytest.mark.soak
def test_the_form_prunes_the_second_bucket_and_allows_more_once(
    deployment: Deployment, s3_prefix: ObjectStoreSettings
) -> None:
    copies = with_second_bucket(deployment, s3_prefix)
    made = old_nights(copies, 6)
    form = {"copies": True}
    assert deployment.run("development_prune_backups", form).success
    shown = observed(deployment)
    assert "Refused: 4 of 6" in shown["next_step"]
    refused = deployment.run("development_prune_backups", {**form, "apply": shown["digest"]})
    assert "4 of 6" in (deployment.failure(refused).description or "")
    allowed = {**form, "apply": shown["digest"], "most_share": 0.7}
    assert deployment.run("development_prune_backups", allowed).success
    assert listed(copies) == [made[0].id, made[1].id]


def test_the_form_is_three_fields_that_do_no_harm(deployment: Deployment) -> None:
    job = deployment.definitions().resolve_job_def("development_prune_backups")
    form = job.run_config_schema.config_type
    assert isinstance(form, dg.Shape)
    assert {name: field.default_value for name, field in form.fields.items()} == {
        "apply": "",
        "copies": False,
        "most_share": 0.0,
    }
    assert all(field.description for field in form.fields.values())
