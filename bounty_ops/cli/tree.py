"""The tree of commands; `shared.Group` says why it is a list of addresses."""

from __future__ import annotations

import click

from bounty_ops import __version__
from bounty_ops.cli.shared import Branch, Group

_HERE = "bounty_ops.cli"


@click.command(
    "db",
    cls=Group,
    branches=(
        Branch(
            "migrate", f"{_HERE}.db.migrate:migrate", "Bring the database to the newest revision."
        ),
        Branch(
            "plan",
            f"{_HERE}.db.plan:plan",
            "Show what a migration would do, and what stands in its way.",
        ),
        Branch(
            "approve",
            f"{_HERE}.db.approve:approve",
            "Approve the plan with this digest, for somebody else to apply.",
        ),
        Branch(
            "status",
            f"{_HERE}.db.status:status",
            "Show revision, pending, drift, last migration and gates of every environment.",
        ),
        Branch(
            "history",
            f"{_HERE}.db.history:history",
            "Show who migrated a database, what, when, and how long it took.",
        ),
        Branch(
            "downgrade",
            f"{_HERE}.db.downgrade:downgrade",
            "Take migrations back, with the data that they made room for.",
        ),
        Branch(
            "current",
            f"{_HERE}.db.current:current",
            "Show the revision of the database and what is pending.",
        ),
        Branch(
            "rehearse",
            f"{_HERE}.db.rehearse:rehearse",
            "Apply what is pending to a restored backup, and measure what it does.",
        ),
        Branch(
            "drift",
            f"{_HERE}.db.drift:drift",
            "Compare a database with its models and migrations, object by object.",
        ),
        Branch(
            "generate",
            f"{_HERE}.db.generate:generate",
            "Write the revisions that bring the migrations to the models.",
        ),
        Branch(
            "push",
            f"{_HERE}.db.push:push",
            "Make a development database equal to the models, without a migration.",
        ),
        Branch(
            "lint",
            f"{_HERE}.db.lint:lint",
            "Say what migrations lock, rewrite, scan or break, and the safe way.",
        ),
        Branch(
            "adopt",
            f"{_HERE}.db.adopt:adopt",
            "Take over a database that Drizzle manages, or that was changed by hand.",
        ),
        Branch(
            "seed", f"{_HERE}.db.seed:seed", "Fill an empty, unprotected database with sample data."
        ),
        Branch(
            "reset",
            f"{_HERE}.db.reset:reset",
            "Delete a development database and make it anew, migrated and filled with sample data.",
        ),
        Branch(
            "refresh",
            f"{_HERE}.db.refresh:refresh",
            "Put a masked copy of one environment into another.",
        ),
        Branch(
            "dump",
            f"{_HERE}.db.dump:dump",
            "Write a dump of the database into a file, for people.",
        ),
        Branch(
            "grants",
            f"{_HERE}.db.grants:grants",
            "Print the SQL of a role that has just the privileges it needs.",
        ),
        Branch(
            "url",
            f"{_HERE}.db.url:url",
            "Print the URL of the database, with its password only on request.",
        ),
    ),
)
def db() -> None:
    """Migrate, inspect and fill a database."""


@click.command(
    "backup",
    cls=Group,
    branches=(
        Branch(
            "run",
            f"{_HERE}.backup.run:run",
            "Back up the database, then prove the backup by a restore.",
        ),
        Branch(
            "list",
            f"{_HERE}.backup.listing:listing",
            "List the backups in the bucket, newest first.",
        ),
        Branch("show", f"{_HERE}.backup.show:show", "Show one backup with every table it holds."),
        Branch(
            "verify",
            f"{_HERE}.backup.verify:verify",
            "Restore a backup into a throw-away server and compare.",
        ),
        Branch(
            "prune",
            f"{_HERE}.backup.prune:prune",
            "Show which backups the keep_* rules let go.",
        ),
        Branch(
            "copy",
            f"{_HERE}.backup.copy:copy",
            "Copy backups into the second bucket and check what arrived.",
        ),
        Branch("pin", f"{_HERE}.backup.pin:pin", "Keep a backup whatever the rules say."),
        Branch("unpin", f"{_HERE}.backup.pin:unpin", "Let the rules decide about a backup again."),
        Branch(
            "restore",
            f"{_HERE}.backup.restore:restore",
            "Restore a backup into a database, and compare it with the manifest.",
        ),
        Branch(
            "download",
            f"{_HERE}.backup.download:download",
            "Download a backup as it is stored, with a program that restores it.",
        ),
        Branch(
            "import",
            f"{_HERE}.backup.importing:import_backup",
            "Bring a downloaded backup, or somebody else's archive, into the bucket.",
        ),
        Branch(
            "rebuild-catalogue",
            f"{_HERE}.backup.rebuild:rebuild_catalogue",
            "Make the catalogue in the operations database say what the bucket says.",
        ),
    ),
)
def backup() -> None:
    """Take, list and prove backups.

    A backup lies in the bucket that BACKUP_BUCKET names, with a manifest and, once it was restored
    and compared, a proof next to it.
    """


@click.command(
    "monitor",
    cls=Group,
    branches=(
        Branch(
            "collect",
            f"{_HERE}.monitor.collect:collect",
            "Measure connections, queries, tables and indexes.",
        ),
        Branch(
            "report", f"{_HERE}.monitor.report:report", "Measure, then say what deserves attention."
        ),
        Branch(
            "locks",
            f"{_HERE}.monitor.look:locks",
            "Who waits for whom, what takes long, and who holds VACUUM back.",
        ),
        Branch(
            "connections",
            f"{_HERE}.monitor.look:connections",
            "Who is connected, by state, role, application and database.",
        ),
        Branch(
            "queries",
            f"{_HERE}.monitor.look:queries",
            "The statements that cost most, and what runs now.",
        ),
        Branch(
            "tables",
            f"{_HERE}.monitor.look:tables",
            "The largest tables, their dead rows and their last vacuum.",
        ),
        Branch("indexes", f"{_HERE}.monitor.look:indexes", "The largest indexes and their use."),
        Branch(
            "history",
            f"{_HERE}.monitor.history:history",
            "Show how much room samples take, and how far they go back.",
        ),
        Branch(
            "serve",
            f"{_HERE}.monitor.serve:serve",
            "Offer the newest measurements of all environments as OpenMetrics, until Ctrl-C.",
        ),
    ),
)
def monitor() -> None:
    """Measure a database."""


@click.command(
    "alerts",
    cls=Group,
    branches=(
        Branch(
            "list",
            f"{_HERE}.alerts.listing:listing",
            "List what is wrong, gravest first, what keeps it quiet, and when somebody looked.",
        ),
        Branch(
            "show",
            f"{_HERE}.alerts.show:show",
            "Show one incident: what is wrong, what to do, and who was told.",
        ),
        Branch(
            "ack",
            f"{_HERE}.alerts.ack:ack",
            "Say that you are at an incident: it is not repeated any more.",
        ),
        Branch("silence", f"{_HERE}.alerts.silence:silence", "Keep incidents quiet for a while."),
        Branch("unsilence", f"{_HERE}.alerts.silence:unsilence", "End a silence before its time."),
        Branch(
            "rules",
            f"{_HERE}.alerts.rules:rules",
            "List the alert rules with what they go by in an environment.",
        ),
        Branch(
            "test",
            f"{_HERE}.alerts.test:test",
            "Send a test's beginning and its end to every channel.",
        ),
    ),
)
def alerts() -> None:
    """Whom the watcher tells what is wrong, and whether they hear it."""


@click.command(
    "bounty-ops",
    cls=Group,
    branches=(
        Branch("up", f"{_HERE}.up:up", "Run the local stack with the Dagster UI until Ctrl-C."),
        Branch("demo", f"{_HERE}.demo:demo", "Perform one night of operations and report it."),
        Branch("status", f"{_HERE}.status:status", "Show where every environment stands."),
        Branch(
            "doctor",
            f"{_HERE}.doctor:doctor",
            "Check settings, databases, programs, bucket and disk, and say how to mend.",
        ),
        Branch(
            "studio",
            f"{_HERE}.studio:studio",
            "Look into the database in the browser, until Ctrl-C.",
        ),
        Branch("db", f"{_HERE}.tree:db", "Migrate, inspect and fill a database."),
        Branch("backup", f"{_HERE}.tree:backup", "Take, list and prove backups."),
        Branch("monitor", f"{_HERE}.tree:monitor", "Measure a database."),
        Branch("alerts", f"{_HERE}.tree:alerts", "Whom the watcher tells what is wrong."),
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="bounty-ops", message="%(prog)s %(version)s")
def root() -> None:
    """Run the databases of Bounty: migrate, back up, prove the backup by a restore, watch.

    Exit codes: 0 done, 1 a check found something, 2 wrong usage, 3 could not be carried out, 130
    interrupted.
    """
