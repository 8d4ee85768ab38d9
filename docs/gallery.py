"""Reports as pages of the documentation: `make gallery`.

    python docs/gallery.py [NAME=DATABASE ...]

The demo presets are run, which takes some minutes; reports of the other entries are drawn anew only
if their database is given. No page has an answer or a task in it.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent / "gallery"


@dataclass(frozen=True)
class Entry:
    """A page.

    Attributes:
        name: of the file, and of the preset that is run if there is no database.
        title: heading.
        made: how the database was made, one paragraph.
        database: the database is given, not run.
    """

    name: str
    title: str
    made: str
    database: bool = False


PRESET = (
    "The demo checkpoint is a scripted stand-in: this report shows what the program prints, and "
    "says nothing about language models. Its data are those of `steertui --batch --preset {name}`."
)
ENTRIES = (
    Entry("demo", "Demo: three suffixes", PRESET),
    Entry("demo-steering", "Demo: suffix, vector and ablation", PRESET),
    Entry("demo-dose", "Demo: strengths of a vector, and the suffix that they match", PRESET),
    Entry("demo-contest", "Demo: a contest of two defences and two attacks", PRESET),
    Entry(
        "paper",
        "The paper's runs of Qwen3-4B",
        "Answers and labels are those that the authors of arXiv 2601.01584 published, read by "
        "`steertui import-paper`. Tests, intervals and families are steertui's.",
        database=True,
    ),
    Entry(
        "contest-0.5b",
        "Qwen2.5-Coder-0.5B-Instruct: five strengths and a contest of 3 × 3",
        "The run of benchmarks/RESULTS.md with labels of one blind reader, a language model, which "
        "stands as the judge `openai:reader`.",
        database=True,
    ),
    Entry(
        "small-models",
        "Five small models by size",
        "The campaign of benchmarks/RESULTS.md with labels of Qwen2.5-Coder-1.5B, a judge of weak "
        "worth that also judges its own answers. It shows the program; RESULTS says why nothing "
        "of it is to be quoted.",
        database=True,
    ),
)


def steertui(*arguments: str) -> str:
    """Run steertui; return its standard output. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", "steertui", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def write(entry: Entry, database: Path, folder: Path) -> None:
    """Write the page of an entry, and its figures in a folder beside it."""
    report = steertui("report", str(database), "--format", "markdown")
    figures = folder / entry.name
    figures.mkdir(parents=True, exist_ok=True)
    for old in figures.glob("*.svg"):
        old.unlink()
    steertui("report", str(database), "--format", "svg", "--output", str(figures))
    images = [f"![{path.stem}]({entry.name}/{path.name})" for path in sorted(figures.glob("*.svg"))]
    parts = (f"# {entry.title}", entry.made.format(name=entry.name), *images, report.strip())
    (folder / f"{entry.name}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def main(folder: Path, given: dict[str, Path]) -> None:
    """Write the pages of all entries that are presets or whose database is given."""
    with tempfile.TemporaryDirectory() as work:
        for entry in ENTRIES:
            database = given.get(entry.name)
            if entry.database and database is None:
                continue
            if database is None:
                database = Path(work, f"{entry.name}.db")
                steertui("--batch", "--preset", entry.name, "--db", str(database))
            write(entry, database, folder)


if __name__ == "__main__":
    pairs = (argument.partition("=") for argument in sys.argv[1:])
    main(HERE, {name: Path(path) for name, _, path in pairs})
