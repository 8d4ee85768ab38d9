"""Verification of a bundle: every hash is checked and every number is computed again."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from math import isclose
from pathlib import Path
from typing import Any

from steertui.assets.hash_cache import cached_digest
from steertui.assets.hub.cache import all_cached_weights
from steertui.core.model import combined_sha256, demo_path
from steertui.errors import BundleError, SteertuiError, StoreError, shorten
from steertui.report.bundle.archive import (
    DATABASE,
    MANIFEST,
    MAX_TEXT,
    REGISTRATION,
    Archive,
    open_archive,
)
from steertui.report.bundle.check import Check
from steertui.report.bundle.contents import (
    REPORT,
    bundle_facts,
    derived_files,
    json_leaves,
    summary_of,
)
from steertui.report.bundle.manifest import Manifest, facts_difference, parse_manifest
from steertui.report.bundle.registration_check import registration_checks
from steertui.report.bundle.writer import README, readme
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.store.received import open_copy
from steertui.units import quantity
from steertui.untrusted import InvalidJsonError, parse_json

PRECISION = 1e-9
"""Relative difference between two machines' floats that counts as none."""

MIN_DIGEST = 16
"""Fewest digits of a published digest that are compared."""

MAX_NAMED = 5
"""Differences that a line names."""


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """Result of a verification.

    Attributes:
        digest: sha256 of the manifest's content.
        checks: in the order in which they were made.
    """

    digest: str
    checks: tuple[Check, ...]

    @property
    def is_good(self) -> bool:
        """Whether no check failed."""
        return all(check.is_good is not False for check in self.checks)


def verify_bundle(path: Path, digest: str = "") -> VerifiedBundle:
    """Return the checks of a bundle, which is opened as a file from someone else.

    `digest` is the one that the authors published, or its first digits; "" for none. Raises
    BundleError if the file is no bundle, or has files that steertui does not write.
    """
    with ExitStack() as stack:
        archive = stack.enter_context(open_archive(path))
        manifest = parse_manifest(archive.read(MANIFEST), str(path))
        checks = [*_digest_check(manifest, digest), _files(archive, manifest)]
        try:
            store = stack.enter_context(open_database(archive))
        except SteertuiError as exc:
            checks.append(Check("database", False, str(exc)))
        else:
            checks += _contents(archive, manifest, store)
    return VerifiedBundle(manifest.digest, tuple(checks))


@contextmanager
def open_database(archive: Archive) -> Iterator[Store]:
    """Open a checked copy of a bundle's database, which is removed afterwards.

    Raises BundleError if the database is damaged, or has content that steertui does not write.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="steertui-"))
        path = Path(folder) / DATABASE
        with path.open("xb") as file:
            archive.copy(DATABASE, file)
        try:
            store = stack.enter_context(open_copy(path))
        except StoreError as exc:
            text = str(exc).replace(str(path), f"{archive.path}: {DATABASE}")
            raise BundleError(text) from None
        yield store


def _digest_check(manifest: Manifest, published: str) -> Iterator[Check]:
    if published:
        is_good = len(published) >= MIN_DIGEST and manifest.digest.startswith(published.lower())
        text = "is the published one" if is_good else f"{manifest.digest} is not {published}"
        yield Check("digest", is_good, text)


def _files(archive: Archive, manifest: Manifest) -> Check:
    """Check names, sizes and sha256 of all files."""
    problems = []
    stated = {file.name: file for file in manifest.files}
    for name in sorted(archive.sizes.keys() - stated.keys() - {MANIFEST}):
        problems.append(f"{name} is not in the manifest")
    for name, file in stated.items():
        try:
            digest = archive.digest(name)
        except BundleError as exc:
            problems.append(str(exc).removeprefix(f"{archive.path}: "))
            continue
        if (archive.sizes[name], digest) != (file.bytes, file.sha256):
            problems.append(f"{name} has another sha256 than stated")
    good = len(stated) - len(problems)
    text = f"{max(good, 0)} of {quantity(len(stated), 'file')} with the stated sha256"
    return Check("files", not problems, _with(text, problems))


def _with(text: str, problems: Sequence[str]) -> str:
    """Return a result with the first problems."""
    more = len(problems) - MAX_NAMED
    rest = [f"and {more} more"] if more > 0 else []
    return "; ".join([text, *problems[:MAX_NAMED], *rest])


def _contents(archive: Archive, manifest: Manifest, store: Store) -> Iterator[Check]:
    """Yield the checks that compute the contents again from the database."""
    yield Check("database", True, "schema, values, references and content hashes hold")
    known = {stored.id for stored in store.experiments()}
    missing = [e for e in manifest.experiments if e not in known]
    if missing or not manifest.experiments:
        text = f"the manifest names {', '.join(missing) or 'none'}, which the database lacks"
        yield Check("experiments", False, text)
        return
    facts = bundle_facts(store, manifest.experiments)
    difference = facts_difference(manifest.facts, facts)
    yield Check("manifest", not difference, difference or "its facts are those of the database")
    try:
        derived = derived_files(store, summary_of(store, manifest.experiments, manifest.policy))
    except (SteertuiError, ValueError) as exc:
        yield Check("numbers", False, f"cannot be computed: {exc}")
        return
    yield _numbers(archive, derived[REPORT])
    is_same_version = manifest.steertui == version("steertui")
    yield _texts(archive, derived | {README: readme(facts).encode()}, is_exact=is_same_version)
    yield from _registration(archive, manifest, store, is_exact=is_same_version)
    yield from _weights(facts["models"])


def _numbers(archive: Archive, computed: bytes) -> Check:
    """Compare every value of the report with the computed one."""
    try:
        stated = dict(json_leaves(parse_json(archive.read(REPORT), max_bytes=MAX_TEXT)))
    except (InvalidJsonError, BundleError) as exc:
        return Check("numbers", False, f"{REPORT} is unreadable: {exc}")
    found = dict(json_leaves(json.loads(computed)))
    numbers = [path for path, value in found.items() if _is_number(value)]
    equal = sum(path in stated and _is_equal(stated[path], found[path]) for path in numbers)
    problems = [
        f"{path} is {stated.get(path, 'missing')!r} in the report and computes to "
        f"{found.get(path, 'nothing')!r}"
        for path in dict.fromkeys([*found, *stated])
        if path not in stated or path not in found or not _is_equal(stated[path], found[path])
    ]
    text = f"{equal:,} of {len(numbers):,} computed again and identical"
    return Check("numbers", not problems, _with(text, list(map(shorten, problems))))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_equal(stated: Any, found: Any) -> bool:
    if _is_number(stated) and _is_number(found):
        return isclose(stated, found, rel_tol=PRECISION, abs_tol=PRECISION)
    return type(stated) is type(found) and bool(stated == found)


def _texts(archive: Archive, computed: dict[str, bytes], *, is_exact: bool) -> Check:
    """Compare report, tables and figures with those made from the database.

    Another version of steertui may have other words, so that a difference then shows nothing.
    """
    expected = {name: content for name, content in computed.items() if name != REPORT}
    optional = {DATABASE, MANIFEST, REPORT, REGISTRATION}
    names = dict.fromkeys([*expected, *(archive.sizes.keys() - optional)])
    problems = [name for name in names if _content(archive, name) != expected.get(name)]
    text = f"{len(names) - len(problems)} of {len(names)} reports, tables and figures identical"
    if problems and not is_exact:
        return Check("texts", None, f"{text}; another version of steertui wrote the others")
    return Check("texts", not problems, _with(text, [f"{name} differs" for name in problems]))


def _content(archive: Archive, name: str) -> bytes | None:
    try:
        return archive.read(name)
    except BundleError:
        return None


def _registration(
    archive: Archive, manifest: Manifest, store: Store, *, is_exact: bool
) -> Iterator[Check]:
    """Yield the checks of the preregistration, if there is one."""
    if REGISTRATION in archive.sizes:
        text = (_content(archive, REGISTRATION) or b"").decode("utf-8", "replace")
        yield from registration_checks(
            text, store, manifest.experiments, Policy(manifest.policy), is_exact=is_exact
        )


def _weights(models: Sequence[dict[str, Any]]) -> Iterator[Check]:
    """Yield for each model whether weights with its sha256 are on this machine."""
    here = {cached_digest(demo_path())} | {
        combined_sha256([cached_digest(path) for path in weights.paths])
        for weights in all_cached_weights()
    }
    for model in models:
        identity = model["sha256"]
        found = identity in here
        text = "on this machine" if found else "not among those that steertui downloaded"
        yield Check(f"weights of {model['name']}", found or None, f"{identity[:12]}… {text}")
