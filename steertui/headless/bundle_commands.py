"""Commands on bundles: write one, verify one."""

from pathlib import Path

from steertui.printable import print_json, print_line
from steertui.report.bundle.check import Check
from steertui.report.bundle.verifier import verify_bundle
from steertui.report.bundle.writer import BundleContents, write_bundle
from steertui.units import size_text

MARKS = {True: "✓", False: "✗", None: "–"}
"""Mark of a check by its result."""


def bundle_database(db: Path, contents: BundleContents, output: Path | None) -> None:
    """Write a bundle of a database; print its digest, and what to look at before sharing it."""
    written = write_bundle(db, contents, output or db.with_name(f"{db.stem}.bundle.zip"))
    for remark in written.remarks:
        print_line(f"Note: {remark}.", to_stderr=True)
    size = size_text(written.path.stat().st_size)
    print_line(f"Written: {written.path}, {written.files} files, {size}", to_stderr=True)
    print_line(f"digest {written.digest}")


def verify(path: Path, *, digest: str, as_json: bool) -> int:
    """Print the checks of a bundle; return 0 if none failed, else 1."""
    result = verify_bundle(path, digest)
    if as_json:
        for check in result.checks:
            print_json({"check": check.title, "is_good": check.is_good, "text": check.text})
        print_json({"digest": result.digest, "is_good": result.is_good})
        return int(not result.is_good)
    for check in result.checks:
        print_line(_line(check))
    verdict = "All parts agree" if result.is_good else "The parts do not agree"
    print_line(f"{verdict}. Compare this digest with the one that the authors published:")
    print_line(f"digest {result.digest}")
    return int(not result.is_good)


def _line(check: Check) -> str:
    return f"{MARKS[check.is_good]} {check.title}: {check.text}"
