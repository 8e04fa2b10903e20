"""Database operations for Bounty: migrations, proved backups, monitoring and alerting."""

__version__ = "0.1.0"
