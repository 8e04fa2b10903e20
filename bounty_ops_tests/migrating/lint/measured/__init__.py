"""Migration files with what PostgreSQL does with each: the linter's independent judge.

``corpus/*.txt`` are the files, ``context.sql`` is the database that they meet, ``measured.json``
what servers of every major did with them. `verdicts.verdict_of` says from a measurement what is a
hazard, and the linter is held against that.
"""
