"""Durable records in the bucket, and the SQL catalogue that indexes them."""
