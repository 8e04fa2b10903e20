"""What a database's schema `public` consists of, as objects that can be compared and written."""

from bounty_ops.migrating.catalog.model import Catalog, Item, Key
from bounty_ops.migrating.catalog.reading import read_catalog

__all__ = ["Catalog", "Item", "Key", "read_catalog"]
