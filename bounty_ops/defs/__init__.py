"""Dagster's thin coat over the operations: assets, checks, jobs, schedules, sensor and forms.

Two rules hold in this package only, because Dagster reads annotations while it builds its
definitions: no ``from __future__ import annotations``, and no import below ``TYPE_CHECKING``.

Everything is built for one environment at a time, and what is built keeps nothing of it but its
name: a run, a check and a tick read the settings again, so that a corrected ``.env`` file works
without a restart.
"""
