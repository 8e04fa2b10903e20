"""The tables: Bounty's own (``bounty``) and ours (``ops``). Needs SQLAlchemy and nothing else."""
