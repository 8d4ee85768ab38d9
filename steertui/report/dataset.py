"""Export as a dataset of the Hugging Face hub: Parquet files and a card."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from steertui.analysis.summary import Summary
from steertui.assets.paper_texts import pack_sources
from steertui.errors import ExperimentError
from steertui.output_files import check_output, output, output_folder, text_output
from steertui.paper.comparison import PaperComparison
from steertui.report import rows
from steertui.report.descriptions import table_descriptions
from steertui.report.markdown_tables import escape
from steertui.store import Store
from steertui.store.setup_queries import used_scenarios
from steertui.units import quantity

CARD = "dataset card"
PARQUET = "parquet"
"""Kinds of the output files."""

CONFIGS = ("trials", "rates", "gaps")
"""Configurations of the dataset: each is a file in `data/`."""

_FRONT = """\
---
pretty_name: Steering towards instrumental convergence
language: en
tags:
- steertui
- instrumental-convergence
- ai-safety
configs:
{configs}
---
"""

_CARD = """\
# Steering towards instrumental convergence

Answers of language models under prompt suffixes and other interventions, with the labels of judges,
written by steertui {version}. Experiments: {experiments}.

**No licence is stated: choose one for what is yours.** {texts}

| configuration | rows | a row is |
| --- | --- | --- |
| `trials` | {trials} | one trial and judge, with prompt, answer and label |
| `rates` | {rates} | one condition, overall (`category` is empty) or in one category; proportions |
| `gaps` | {gaps} | one comparison of two conditions; percentage points |

```python
from datasets import load_dataset

trials = load_dataset("OWNER/NAME", "trials", split="train")
```

Take intervals and tests from `gaps`: they hold for the declared family of comparisons at once.
Labels are those of the named judges; how far a judge can be trusted is in the report.
{notices}
## Columns of `trials`

| column | type | meaning |
| --- | --- | --- |
{columns}
"""


def write_dataset(
    store: Store, summary: Summary, paper: Sequence[PaperComparison], folder: Path
) -> list[Path]:
    """Write `README.md` and `data/*.parquet` for the hub; return the files.

    Raises ExperimentError without pyarrow, and OutputError if a file cannot be written or must not
    be replaced.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ExperimentError(
            "--dataset needs pyarrow; install it with: pip install 'steertui[parquet]'"
        ) from None
    card = output_folder(folder) / "README.md"
    data = output_folder(folder / "data")
    paths = {name: data / f"{name}.parquet" for name in CONFIGS}
    check_output(card, CARD, [store.path])
    for path in paths.values():
        check_output(path, PARQUET, [store.path])
    tables = {"rates": list(rows.rates(store, summary)), "gaps": list(rows.gaps(summary))}
    rows.write_parquet(store, summary, paper, paths["trials"])
    for name, table in tables.items():
        _write_table(table, paths[name], store)
    counts = {name: len(table) for name, table in tables.items()}
    counts["trials"] = _count_rows(paths["trials"])
    with text_output(card, CARD, [store.path]) as file:
        file.write(_card(store, summary, counts))
    return [card, *paths.values()]


def _write_table(table: list[dict[str, Any]], path: Path, store: Store) -> None:
    import pyarrow
    from pyarrow import parquet

    with output(path, PARQUET, [store.path]) as file:
        parquet.write_table(pyarrow.Table.from_pylist(table), file)


def _count_rows(path: Path) -> int:
    from pyarrow import parquet

    return int(parquet.read_metadata(path).num_rows)


def _card(store: Store, summary: Summary, counts: dict[str, int]) -> str:
    configs = "\n".join(
        f"- config_name: {name}\n  data_files: data/{name}.parquet" for name in CONFIGS
    )
    notices = "".join(f"\n> {escape(notice)}\n" for notice in summary.notices)
    return _FRONT.format(configs=configs) + _CARD.format(
        version=version("steertui"),
        experiments=", ".join(f"`{experiment}`" for experiment in summary.experiments),
        texts=_texts_sentence(store, summary),
        notices=notices,
        columns="\n".join(_column_lines()),
        **{name: quantity(count, "row") for name, count in counts.items()},
    )


def _texts_sentence(store: Store, summary: Summary) -> str:
    """Return a sentence on texts of others; "" for none."""
    packs = {s.pack for e in summary.experiments for s in used_scenarios(store, e)}
    unlicensed = sorted(pack for pack in packs if pack_sources(pack))
    if not unlicensed:
        return ""
    return (
        f"The tasks of {', '.join(unlicensed)} are in these files, and their authors state no "
        "licence: do not publish them without their consent."
    )


def _column_lines() -> Iterator[str]:
    known = table_descriptions()["answers"].columns
    for name, kind in rows.COLUMN_TYPES.items():
        yield f"| `{name}` | {kind} | {known.get(name, '')} |"
