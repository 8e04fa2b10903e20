"""How Sphinx builds the site: `make docs`. Nothing is fetched, and a warning is an error there."""

from importlib.metadata import version as version_of

project = "bounty-ops"
author = "the authors of bounty-ops"
version = release = version_of("bounty-ops")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

# Headings are link targets by the same names as on GitHub, where these pages are read as well.
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"bounty-ops {release}"
html_copy_source = False
html_show_sphinx = False

# Lexers that Pygments lacks, or blocks that are no code, must not look like errors.
highlight_language = "text"
nitpicky = True
