"""Alerting, on a real database and real webhooks."""
