"""The name of every check, with its question; docs/reference/doctor.md lists them."""

from __future__ import annotations

from typing import Final

#: Of which kind of subject each is: an environment, a bucket, the operations database, Dagster,
#: this machine or the project.
CHECKS: Final[dict[str, dict[str, str]]] = {
    "project": {
        "settings": "Can every file and variable be read, and does it make sense?",
        "private files": "May nobody else on this machine read the files with passwords?",
    },
    "this machine": {
        "state directory": "May it be written into?",
        "disk space": "Is there room for a restore and for the local servers?",
        "server programs": "Are the programs here that verifications and stand-ins need?",
        "stand-in": "Did a local server start that stands in for what is not set?",
    },
    "an environment": {
        "configured": "Is there a URL that can be used?",
        "reachable": "Does the database answer, and let this role in?",
        "provider": "Who runs it, and does the URL fit to that?",
        "version": "Is it PostgreSQL 14 or newer, and of a major version that still gets releases?",
        "encryption": "Is the connection encrypted, and was the server's certificate verified?",
        "primary": "Does it accept writes?",
        "pooler": "Does the address lead to the server itself, and to no transaction pooler?",
        "connections": "How many connections are left, of the server, the database and the role?",
        "storage": "Is there 1 GiB free where the server keeps its data?",
        "extensions": "Which extensions are used? None is required.",
        "backup role": "May the role read everything that pg_dump reads?",
        "monitoring role": "May the role see statistics, sessions and settings?",
        "migration role": "May the role create and alter what migrations do?",
        "clock": "Does the server's clock agree with this machine's?",
        "client programs": "Is there a pg_dump of the server's own major version?",
        "verification programs": "Are there server programs of that major to restore into?",
        "revision": "Have all migrations been applied?",
        "encryption key": "Can what is encrypted be decrypted, as far as this machine holds keys?",
        "alert path": "Do channels exist, take what they are sent, and does somebody evaluate?",
        "dead-man's switch": "Can each be fed, and is it fed by one thing only?",
    },
    "a bucket": {
        "reachable": "Does it answer to these keys?",
        "encryption": "Is what is sent to it encrypted on its way?",
        "writing": "May these keys put objects, and read them back?",
        "large objects": "Can objects be sent in parts?",
        "never replaced": "Does the store honour conditional puts?",
        "damage refused": "Does it check what arrives?",
        "resumed reading": "Can a download go on where it broke off?",
        "deleting": "May these keys remove what retention lets go?",
        "unfinished uploads": "Are they found, or removed by a rule?",
        "protection": "Is there Object Lock, or are there versions?",
        "kept by its rules": "Does no life cycle rule delete backups?",
        "clock": "Does the store's clock agree with this machine's?",
    },
    "operations database": {
        "reachable": "Does it answer?",
        "revision": "Has it the newest schema?",
        "separate": "Is it none of the databases that are backed up?",
        "encryption": "Is the connection encrypted, and was the server's certificate verified?",
    },
    "Dagster": {
        "versions": "Do the installed packages fit to each other?",
        "storage scheme": "Does dagster.yaml name the driver that dagster-postgres works with?",
        "storage": "Can Dagster's own database be read?",
        "daemon": "Has every daemon sent a heartbeat lately?",
        "schedules": "Are the schedules and sensors switched on, and are they evaluated?",
    },
}
