"""Checks of the schema that take a while, and therefore run at night."""

from collections.abc import Callable
from typing import Final

import dagster as dg

from bounty_ops.defs.names import SCHEMA_REVISION, Names
from bounty_ops.defs.presentation import code, table
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating.drift import Difference, DriftReport, drift
from bounty_ops.migrating.gate.linting import Findings, lint_pending

NO_DRIFT: Final = "no_drift"
LINT: Final = "lint"
#: Metadata of `no_drift` for programs: one line for each difference.
DIFFERENCE_LINES: Final = "difference_lines"
_MOST_LINES: Final = 50


def no_drift_check(names: Names) -> dg.AssetChecksDefinition:
    """The check `no_drift`: the database is what its migrations made of it."""

    @dg.asset_check(
        asset=names.asset(SCHEMA_REVISION),
        name=NO_DRIFT,
        description="The live schema is exactly what its revision says, object by object, and "
        "models and migrations agree.",
    )
    def no_drift() -> dg.AssetCheckResult:
        return _judged(names, _drift)

    return no_drift


def lint_check(names: Names) -> dg.AssetChecksDefinition:
    """The check `lint`: what is pending could pass the gate of the linter."""

    @dg.asset_check(
        asset=names.asset(SCHEMA_REVISION),
        name=LINT,
        description="The linter finds no error in the pending revisions, with the live database "
        "in view.",
    )
    def lint() -> dg.AssetCheckResult:
        return _judged(names, lambda place: linted(lint_pending(place.environment)))

    return lint


def schema_check_keys(names: Names) -> tuple[dg.AssetCheckKey, ...]:
    """Both of them: the collection, every 15 minutes, leaves them out."""
    key = names.asset(SCHEMA_REVISION)
    return (dg.AssetCheckKey(key, NO_DRIFT), dg.AssetCheckKey(key, LINT))


def _drift(place: Workplace) -> dg.AssetCheckResult:
    settings = place.settings
    report = drift(place.environment, state_dir=settings.state_dir, server=settings.verify_server)
    return compared(report)


def compared(report: DriftReport) -> dg.AssetCheckResult:
    """Judge a comparison: a schema that nobody's revision made is nobody's to rely on."""
    between = report.models_and_migrations or ()
    parts = [f"{len(report.differences)} differences from {report.revision or report.head}"]
    if between:
        parts.append(f"models and migrations differ in {len(between)} objects")
    sound = not report.drifted and not between
    sql = "\n".join(f"{one};" for each in report.differences for one in each.sql)
    return dg.AssetCheckResult(
        passed=sound,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"the schema is that of {report.revision or report.head}"
        if sound
        else "; ".join(parts),
        metadata={
            "differences_found": dg.MetadataValue.int(len(report.differences)),
            "differences": dg.MetadataValue.md(_table(report.differences)),
            DIFFERENCE_LINES: dg.MetadataValue.json(
                [_line(each) for each in report.differences[:_MOST_LINES]]
            ),
            "models_and_migrations": dg.MetadataValue.md(_table(between)),
            "sql": dg.MetadataValue.md(code(sql) if sql else "none"),
            "fingerprint": dg.MetadataValue.text(report.fingerprint),
            "expected_fingerprint": dg.MetadataValue.text(report.expected_fingerprint),
        },
    )


def _table(differences: tuple[Difference, ...]) -> str:
    return table(
        ["kind", "object", "expected", "found"],
        [
            (
                each.kind,
                each.object,
                "nothing" if each.expected is None else each.expected,
                "nothing" if each.found is None else each.found,
            )
            for each in differences
        ],
    )


def _line(each: Difference) -> str:
    expected, found = each.expected or "nothing", each.found or "nothing"
    return f"{each.kind} {each.object}: expected {expected}, found {found}"


def linted(findings: Findings) -> dg.AssetCheckResult:
    """Judge what the linter says of the pending revisions."""
    found = [(revision, one) for revision, each in findings.items() for one in each]
    errors = sum(one.level == "error" for _, one in found)
    return dg.AssetCheckResult(
        passed=not errors,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(findings)} pending, {errors} errors, {len(found) - errors} others",
        metadata={
            "errors": dg.MetadataValue.int(errors),
            "findings": dg.MetadataValue.md(
                table(
                    ["revision", "level", "rule", "line", "what", "what to do"],
                    [
                        (revision, one.level, one.rule, one.line, one.message, one.remedy)
                        for revision, one in found
                    ],
                )
            ),
        },
    )


def _judged(names: Names, judge: Callable[[Workplace], dg.AssetCheckResult]) -> dg.AssetCheckResult:
    with workplace(names.environment, ops=False, bucket=False) as place:
        try:
            return judge(place)
        except BountyOpsError as error:
            # What cannot be compared is not known to be sound; the night goes on.
            return dg.AssetCheckResult(
                passed=False,
                severity=dg.AssetCheckSeverity.WARN,
                description=place.secrets.hide(f"it could not be looked at: {error}"),
                metadata={"what to do": place.secrets.hide(error.hint)},
            )
