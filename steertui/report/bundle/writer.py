"""Writing of a bundle: database, report, figures, plans, manifest, and a README for people."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path

from steertui.assets.paper_texts import pack_sources
from steertui.core.experiment import parse_experiment
from steertui.errors import BundleError, SteertuiError
from steertui.output_files import check_output
from steertui.planning.experiment_files import text_files, weight_files
from steertui.report.bundle.archive import (
    BUNDLE,
    DATABASE,
    MANIFEST,
    MAX_TEXT,
    REGISTRATION,
    write_archive,
)
from steertui.report.bundle.contents import (
    Facts,
    bundle_facts,
    derived_files,
    plan_digests,
    summary_of,
)
from steertui.report.bundle.manifest import FORMAT, BundledFile, Manifest, describe_file
from steertui.report.markdown_tables import escape
from steertui.store import Store
from steertui.store.part import copy_part, detach_log
from steertui.units import quantity, size_text

README = "README.md"

_README = f"""\
# Bundle of steertui

An experiment on how far prompt suffixes and other interventions steer language models: the database
with all prompts, answers and labels, the report, and the hashes of everything.

| file | contents |
| --- | --- |
| `{DATABASE}` | SQLite: prompts, answers, labels, settings |
| `report.md`, `report.json`, `rates.csv` | the report and its numbers |
| `figures/` | the report's figures |
| `experiments/` | the experiment files as they were planned |
| `{REGISTRATION}` | the preregistration, if there is one |
| `{MANIFEST}` | sha256 of all files, models, vectors, judges, versions, hardware |

Check it, read it, run it again:

    steertui verify BUNDLE
    unzip BUNDLE {DATABASE} && steertui report {DATABASE}
    steertui reproduce BUNDLE

`verify` shows that all parts agree. It cannot show who wrote them: compare the digest that it
prints with the one that the authors published.

| experiment | trials | answers | labels |
| --- | --- | --- | --- |
{{experiments}}
| model | sha256 |
| --- | --- |
{{models}}"""


@dataclass(frozen=True, slots=True)
class BundleContents:
    """What to put into a bundle.

    Attributes:
        experiments: ids or prefixes; empty for all experiments of the database.
        policy: denominator of the report's convergence rates.
        registration: preregistration to include; None for none.
    """

    experiments: tuple[str, ...] = ()
    policy: str = "paper"
    registration: Path | None = None


@dataclass(frozen=True, slots=True)
class WrittenBundle:
    """A bundle that was written.

    Attributes:
        path: the file.
        digest: sha256 of the manifest's content.
        files: number of files.
        remarks: what to look at before the bundle is published, each a sentence without a full
            stop.
    """

    path: Path
    digest: str
    files: int
    remarks: tuple[str, ...]


def write_bundle(db: Path, contents: BundleContents, output: Path) -> WrittenBundle:
    """Write a bundle of a database.

    Raises StoreError if the database cannot be used, ExperimentError for an unknown experiment,
    BundleError for a preregistration of another plan, and OutputError if the file cannot be
    written.
    """
    check_output(output, BUNDLE, [db])
    with tempfile.TemporaryDirectory(prefix="steertui-") as folder:
        copy = Path(folder) / DATABASE
        with Store(db, must_exist=True) as store:
            chosen = [store.resolve_experiment(e) for e in contents.experiments]
        copy_part(db, copy, chosen)
        with Store(copy, must_exist=True) as store:
            experiments = chosen or [known.id for known in store.experiments()]
            if not experiments:
                store.resolve_experiment()  # raises the error of an empty database
            files = derived_files(store, summary_of(store, experiments, contents.policy))
            facts = bundle_facts(store, experiments)
            remarks = tuple(_remarks(store, experiments))
        if contents.registration:
            files[REGISTRATION] = _registration(contents.registration, facts)
        detach_log(copy)
        files = {README: readme(facts).encode(), **files}
        manifest = Manifest(
            format=FORMAT,
            steertui=version("steertui"),
            policy=contents.policy,
            experiments=experiments,
            facts=facts,
            files=[*(describe_file(n, c) for n, c in files.items()), _described(copy)],
        )
        write_archive(output, {MANIFEST: manifest.raw, **files}, copy, db)
    return WrittenBundle(output, manifest.digest, len(manifest.files) + 1, remarks)


def _described(copy: Path) -> BundledFile:
    with copy.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return BundledFile(DATABASE, copy.stat().st_size, digest)


def _registration(path: Path, facts: Facts) -> bytes:
    """Return the bytes of a preregistration; raises BundleError if it names no plan in `facts`."""
    try:
        if path.stat().st_size > MAX_TEXT:
            raise BundleError(f"{path}: larger than {size_text(MAX_TEXT)}; give the Markdown file")
        content = path.read_bytes()
    except OSError as exc:
        raise BundleError(f"{path}: cannot be read ({exc.strerror}); check the path") from None
    if not any(digest.encode() in content for digest in plan_digests(facts)):
        raise BundleError(
            f"{path}: names no plan of this database; give the file that --register wrote"
        )
    return content


def readme(facts: Facts) -> str:
    """Return the README of a bundle with these facts."""
    experiments = "".join(
        f"| `{e['id']}` | {e['trials']} | {e['answers']} | {sum(e['labels'].values())} |\n"
        for e in facts["experiments"]
    )
    models = "".join(f"| {escape(m['name'])} | `{m['sha256']}` |\n" for m in facts["models"])
    return _README.format(experiments=experiments, models=models)


def _remarks(store: Store, experiments: Sequence[str]) -> Iterator[str]:
    """Yield what the author should look at before the bundle is published."""
    for known in store.experiments():
        if known.id not in experiments:
            yield (
                f"Experiment {known.id} is included, too: its runs wrote answers of the chosen ones"
            )
            continue
        try:
            experiment = parse_experiment(known.toml)
        except SteertuiError:
            continue
        named = [name for _, name in text_files(experiment)] + weight_files(experiment)
        if named:
            yield (
                f"The experiment file of {known.id} names {quantity(len(named), 'file')} of yours, "
                f"such as {named[0]}"
            )
        unlicensed = [pack for pack in experiment.scenarios if pack_sources(pack)]
        if unlicensed:
            yield (
                f"The database has the texts of {', '.join(unlicensed)}, whose authors state no "
                "licence: do not publish it without their consent"
            )
