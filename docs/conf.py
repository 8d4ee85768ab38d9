"""Sphinx configuration: `make docs` builds the site into docs/_build/html.

The theme loads no fonts, scripts or images from other hosts, so the site opens from disk.
"""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "steertui"
author = "The steertui authors"
project_copyright = "2026, the steertui authors"
release = installed_version("steertui")
version = release

extensions = [
    "myst_parser",
    "sphinx_click",
    "command_groups",
    "generated_reference",
    "repository_pages",
]
exclude_patterns = ["_build", "_extensions"]
nitpicky = True

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
# Options must be readable as typed: "--batch" is no dash and quotation marks are no ornaments.
smartquotes = False

html_theme = "furo"
html_title = f"steertui {release}"
html_static_path = ["_static"]
html_css_files = ["steertui.css"]
html_copy_source = False
html_show_sphinx = False
