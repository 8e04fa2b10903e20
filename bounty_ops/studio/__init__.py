"""Look into a database, change rows, ask questions and see the relationships, in a browser.

The pages for tables are sqladmin's; it comes with the optional extra ``studio``. What draws the
diagram and writes the data dictionary (`diagram`, `dictionary`) needs SQLAlchemy only.
"""
