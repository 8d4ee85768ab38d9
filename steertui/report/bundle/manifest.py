"""Manifest of a bundle: version, files with their sha256, and facts of the database."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from steertui.errors import BundleError
from steertui.printable import to_json
from steertui.report.bundle.contents import Facts, canonical
from steertui.toml_files import forbid_extra_keys, validate
from steertui.untrusted import InvalidJsonError, parse_json

FORMAT = 1
"""Version of the form, raised if a field changes its meaning."""


@forbid_extra_keys
@dataclass(frozen=True)
class BundledFile:
    """A file of a bundle.

    Attributes:
        name: in the archive.
        bytes: size.
        sha256: 64 hex digits.
    """

    name: str
    bytes: int
    sha256: str


@forbid_extra_keys
@dataclass(frozen=True)
class Manifest:
    """Statement of what a bundle holds.

    Attributes:
        format: version of the form.
        steertui: version of the program that wrote the bundle.
        policy: denominator of the report's convergence rates.
        experiments: ids of the experiments in the report.
        facts: see `bundle_facts`.
        files: all files but the manifest.
    """

    format: int
    steertui: str
    policy: str
    experiments: list[str]
    facts: dict[str, Any]
    files: list[BundledFile]

    @property
    def raw(self) -> bytes:
        """The manifest as JSON."""
        return f"{to_json(asdict(self), indent=1)}\n".encode()

    @property
    def digest(self) -> str:
        """The sha256 of the manifest's content, which identifies the bundle."""
        return sha256(canonical(asdict(self)).encode("utf-8", "replace")).hexdigest()


def describe_file(name: str, content: bytes) -> BundledFile:
    """Return the entry of a file."""
    return BundledFile(name, len(content), sha256(content).hexdigest())


def parse_manifest(raw: bytes, where: str) -> Manifest:
    """Return the manifest of a bundle; raises BundleError, which begins with `where`."""
    try:
        table = parse_json(raw)
    except InvalidJsonError as exc:
        raise BundleError(f"{where}: its manifest is {exc}") from None
    if isinstance(table, dict) and table.get("format") != FORMAT:
        raise BundleError(
            f"{where}: format {table.get('format')!r} of bundles is not known; this version reads "
            f"{FORMAT}: update steertui"
        )
    return validate(table, Manifest, BundleError, f"{where}: manifest")


def facts_difference(stated: Facts, found: Facts) -> str:
    """Return the first fact that differs, as "title: stated …, in the database …"; "" for none."""
    for title in dict.fromkeys([*stated, *found]):
        if canonical(stated.get(title)) != canonical(found.get(title)):
            return f"{title}: the manifest states other ones than the database has"
    return ""
