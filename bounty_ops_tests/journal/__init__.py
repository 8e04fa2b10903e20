"""The journal in a real bucket, the catalogue in a real database."""
