"""Sphinx extension: pages of the repository outside docs/ become pages of the site.

A page of `PAGES` shows the text of a repository file. Links to such a file lead to its page, and
all other links keep their target, so the same links work on the site and in the repository.
"""

import os
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]

PAGES = {
    "architecture": "ARCHITECTURE.md",
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "security-policy": "SECURITY.md",
    "measurements/results": "benchmarks/RESULTS.md",
    "measurements/coverage": "benchmarks/COVERAGE.md",
    "reference/control": "scenarios/control/README.md",
    "reference/demo": "models/demo/README.md",
    "reference/packs": "scenarios/README.md",
}
"""Repository file by page of the site."""

LINK = re.compile(r"\]\(([^)#:\s]+)((?:#[^)\s]+)?)\)")


def show_repository_page(_app: Sphinx, page: str, source: list[str]) -> None:
    """Put the repository file's text into its page, and adapt all links."""
    folder = (ROOT / "docs" / page).parent
    base = folder
    if page in PAGES:
        file = ROOT / PAGES[page]
        source[0] = file.read_text(encoding="utf-8")
        base = file.parent
    homes = {ROOT / file: ROOT / "docs" / f"{name}.md" for name, file in PAGES.items()}

    def adapt(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(base / match[1]))
        path = os.path.relpath(homes.get(target, target), folder)
        return f"]({Path(path).as_posix()}{match[2]})"

    source[0] = LINK.sub(adapt, source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the handler."""
    app.connect("source-read", show_repository_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
