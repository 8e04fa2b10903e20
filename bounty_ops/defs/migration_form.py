"""What an operator fills in to migrate; launched as it stands, the form only shows the plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from bounty_ops.defs.failures import Secrets
from bounty_ops.environments import Environment
from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.journal.evidence import Acknowledgement
from bounty_ops.migrating import MigrationPlan
from bounty_ops.migrating.gate.acknowledging import acknowledgement

#: Applies whatever is pending, without a look at it; for unprotected environments only.
HEAD: Final = "head"

#: Plain texts: those of `dagster.Config` also take `{env: NAME}`, with which a form could fetch
#: any variable of the process, keys and passwords included, into a record.
FIELDS: Final = {
    "apply": dg.Field(
        str,
        default_value="",
        description="Empty: show the plan and change nothing. To apply it, paste the digest that "
        f"the plan showed. `{HEAD}` applies whatever is pending; a protected environment "
        "refuses that.",
    ),
    "operator": dg.Field(
        str,
        default_value="",
        description="Who applies it; stands in the record of the migration. A protected "
        "environment asks for it.",
    ),
    "reason": dg.Field(
        str,
        default_value="",
        description="Why, such as a ticket; stands in the record of the migration.",
    ),
    "acknowledge": dg.Field(
        dg.Array(str),
        default_value=[],
        description="Findings of the linter that you accept, each as RULE=REASON; they stand in "
        "the record.",
    ),
    "override": dg.Field(
        str,
        default_value="",
        description="For an emergency: why gates are to be passed although they refuse. It stands "
        "in the record and raises an alert. The digest is asked for all the same.",
    ),
    "backup_first": dg.Field(
        bool,
        default_value=False,
        description="Take a backup and prove it by a restore before anything is changed.",
    ),
}


@dataclass(frozen=True)
class MigrationForm:
    """The form as it was launched, without the blanks that a paste leaves around a value."""

    apply: str = ""
    operator: str = ""
    reason: str = ""
    acknowledge: tuple[str, ...] = ()
    override: str = ""
    backup_first: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "MigrationForm":
        """Read the configuration that Dagster has validated against `FIELDS`."""
        return cls(
            apply=config["apply"].strip(),
            operator=config["operator"].strip(),
            reason=config["reason"].strip(),
            acknowledge=tuple(config["acknowledge"]),
            override=config["override"].strip(),
            backup_first=config["backup_first"],
        )

    def acknowledgements(self, secrets: Secrets) -> tuple[Acknowledgement, ...]:
        """What of the linter's findings is accepted.

        Raises:
            UsageError: a rule or a reason is missing.
        """
        return tuple(acknowledgement(secrets.hide(given)) for given in self.acknowledge)


def check_permission(plan: MigrationPlan, environment: Environment, form: MigrationForm) -> None:
    """Whether this form may ask the gates about this plan at all.

    Raises:
        UsageError: `head`, or no operator, for a protected environment.
        MigrationError: the digest is that of another plan.
    """
    protected = environment.policy.protected
    if protected and form.apply == HEAD:
        raise UsageError(
            f"{environment.name} is protected: it takes the digest of a plan, not {HEAD!r}",
            hint="Launch the job as it stands, read the plan, and paste its digest into `apply`.",
        )
    if protected and not form.operator:
        raise UsageError(
            f"{environment.name} is protected: the record of a migration has to name a person",
            hint="Write your name into `operator`.",
        )
    if form.apply not in {HEAD, plan.digest}:
        raise MigrationError(
            "the digest is not that of the present plan; nothing was changed",
            hint="Something was migrated or deployed since. Launch the job as it stands, read the "
            "plan again, and paste its digest into `apply`.",
        )
