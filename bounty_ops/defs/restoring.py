"""The jobs `restore` and `refresh_staging`: they show a plan, and act when its digest is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import dagster as dg

from bounty_ops.defs.names import Names
from bounty_ops.defs.presentation import table
from bounty_ops.defs.progress import byte_progress
from bounty_ops.defs.protection import described, form
from bounty_ops.defs.restore_shown import plan_metadata, show_done, show_plan
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.errors import RestoreError, UsageError
from bounty_ops.journal.records import BackupState, Manifest, Verdict
from bounty_ops.restore.outcome import Watching
from bounty_ops.restore.plan import RestorePlan, Wishes, plan_restore
from bounty_ops.restore.refresh import plan_refresh, refresh
from bounty_ops.restore.restore import restore_backup
from bounty_ops.restore.target import choose_target

Fields = Mapping[str, dg.Field]
Config = Mapping[str, str]

_APPLY: Final = dg.Field(
    str,
    default_value="",
    description="Empty: show the plan and change nothing. To carry it out, paste the digest that "
    "the plan showed. Whoever is connected to the target is disconnected then.",
)
_OPERATOR: Final = dg.Field(
    str, default_value="", description="Who does it. A protected environment asks for it."
)
_ROLES: Final = dg.Field(
    str,
    default_value="",
    description="What to do when roles are missing. Empty: refuse. `create`: create them, without "
    "login. `none`: everything belongs to the role that restores, without privileges of others.",
)

#: As they stand, the newest proved backup of the environment, into itself, and only shown.
RESTORE_FIELDS: Final = {
    "apply": _APPLY,
    "backup_id": dg.Field(
        str,
        default_value="",
        description="The id of the backup, as `bounty-ops backup list` shows it. Empty: the newest "
        "one that is proved.",
    ),
    "from_environment": dg.Field(
        str, default_value="", description="Whose backup it is. Empty: this environment's own."
    ),
    "roles": _ROLES,
    "operator": _OPERATOR,
}
REFRESH_FIELDS: Final = {
    "apply": _APPLY,
    "target": dg.Field(
        str,
        default_value="staging",
        description="The environment that gets the masked copy; production never is.",
    ),
    "roles": _ROLES,
    "operator": _OPERATOR,
}
_ROLE_WISHES: Final = {
    "": Wishes(),
    "create": Wishes(create_roles=True),
    "none": Wishes(no_owner=True),
}


@dataclass(frozen=True)
class _Form:
    """A form as it was launched, without the blanks that a paste leaves around a value."""

    values: Config

    def __getitem__(self, name: str) -> str:
        return self.values[name].strip()

    @property
    def digest(self) -> str | None:
        """None: only show the plan."""
        return self["apply"] or None

    def wishes(self) -> Wishes:
        """How to restore.

        Raises:
            UsageError: `roles` says something unknown.
        """
        try:
            return _ROLE_WISHES[self["roles"]]
        except KeyError:
            raise UsageError(
                f"`roles` cannot be {self['roles']!r}",
                hint="Leave it empty, or write `create` or `none`.",
            ) from None


def restore_job(names: Names) -> dg.JobDefinition:
    """The job that restores a backup into the environment."""
    return _job(
        names,
        names.restore,
        RESTORE_FIELDS,
        _restore,
        f"Shows what a restore into `{names.environment}` would do and what would be lost, with a "
        "digest. Launched as it stands it changes nothing; with the digest in `apply` it restores "
        "beside the database, compares, and swaps the names. What was there is kept.",
    )


def refresh_job(names: Names) -> dg.JobDefinition:
    """The job that puts a masked copy of the environment into another one."""
    return _job(
        names,
        names.refresh_staging,
        REFRESH_FIELDS,
        _refresh,
        f"Shows how the last proved backup of `{names.environment}` would be masked and put into "
        "another environment, with a digest. Launched as it stands it changes nothing; with the "
        "digest in `apply` it does that. Production is never the target.",
    )


def _job(
    names: Names,
    name: str,
    fields: Fields,
    body: Callable[[dg.OpExecutionContext, Names, _Form], None],
    description: str,
) -> dg.JobDefinition:
    op_name = f"{name}_database"

    @dg.op(
        name=op_name,
        pool=names.pool,
        tags=names.tags,
        config_schema=form(names, fields),
        out=dg.Out(dg.Nothing),
    )
    def restoring(context: dg.OpExecutionContext) -> None:
        body(context, names, _Form(context.op_config))

    # Without the mapping a person would have to find the fields below ops > NAME > config.
    @dg.config_mapping(config_schema=form(names, fields))
    def flat(values: Config) -> dict[str, object]:
        return {"ops": {op_name: {"config": values}}}

    @dg.job(
        name=name,
        config=flat,
        executor_def=dg.in_process_executor,
        tags=names.tags,
        description=described(names, description),
    )
    def job() -> None:
        restoring()

    return job


def _restore(context: dg.OpExecutionContext, names: Names, form: _Form) -> None:
    with workplace(names.environment, ops=False) as place:
        manifest = _chosen(place, form)
        target = choose_target(place.settings, names.environment)
        plan = plan_restore(manifest, target, place.journal(), form.wishes())
        show_plan(context, names, plan, plan_metadata(plan))
        if form.digest is None:
            return
        _require_operator(place, plan, form)
        operator = _operator(context, place, form)
        done = restore_backup(
            plan,
            target,
            manifest,
            place.journal(),
            operator=operator,
            digest=form.digest,
            work_dir=place.settings.state_dir / "work",
            identities=place.settings.identities(encrypted=manifest.encryption is not None),
            watching=_watching(context),
        )
        show_done(context, names, done, operator=operator)


def _refresh(context: dg.OpExecutionContext, names: Names, form: _Form) -> None:
    with workplace(names.environment, database=False, ops=False) as place:
        settings, journal = place.settings, place.journal()
        plan = plan_refresh(settings, form["target"], names.environment, journal, form.wishes())
        masked = table(
            ["column", "becomes"], [(".".join(one.key), one.rule) for one in plan.masking.columns]
        )
        metadata = {
            **plan_metadata(plan.restore),
            "masked_columns": dg.MetadataValue.int(len(plan.masking.columns)),
            "masked": dg.MetadataValue.md(masked),
            "reported": dg.MetadataValue.md(
                table(["column without a rule"], [[one] for one in plan.masking.reported])
            ),
        }
        show_plan(context, names, plan.restore, metadata)
        if form.digest is None:
            return
        operator = _operator(context, place, form)
        done = refresh(
            plan,
            journal,
            operator=operator,
            digest=form.digest,
            work_dir=settings.state_dir / "work",
            identities=settings.age_identities,
            watching=_watching(context),
        )
        show_done(context, names, done, operator=operator)


def _chosen(place: Workplace, form: _Form) -> Manifest:
    journal = place.journal()
    source = form["from_environment"] or place.environment.name
    if form["backup_id"]:
        return journal.find(form["backup_id"], source)
    for summary in journal.summaries(source):
        if summary.state is BackupState.COMPLETE and summary.verdict is Verdict.PROVED:
            return journal.find(summary.id, source)
    raise RestoreError(
        f"there is no proved backup of {source}",
        hint="Write the id of a backup into `backup_id`, or launch the nightly job first.",
    )


def _require_operator(place: Workplace, plan: RestorePlan, form: _Form) -> None:
    if plan.protected and not form["operator"]:
        raise UsageError(
            f"{place.environment.name} is protected: a restore into it has to name a person",
            hint="Write your name into `operator`.",
        )


def _operator(context: dg.OpExecutionContext, place: Workplace, form: _Form) -> str:
    return place.secrets.hide(form["operator"]) or f"dagster run {context.run_id}"


def _watching(context: dg.OpExecutionContext) -> Watching:
    return Watching(
        fetched=byte_progress(context.log, "fetched"),
        step=lambda what: context.log.info("%s", what),
    )
