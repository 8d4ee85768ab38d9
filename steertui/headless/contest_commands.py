"""`steertui contest adapt`: the strongest attack against each defence, chosen on a training run."""

from pathlib import Path
from typing import Any

import tomli_w

from steertui.analysis.contest_results import ContestResult
from steertui.analysis.summary import ReportFilter, summarise
from steertui.analysis.table import Table
from steertui.core.condition_files import conditions_path, load_conditions
from steertui.core.contest import contest_sides
from steertui.core.grouping import NONE
from steertui.errors import ExperimentError, ScenarioError
from steertui.output_files import text_output
from steertui.printable import print_line
from steertui.store import Store
from steertui.toml_files import parse_toml, read_text


def adapt_command(file: Path, db: Path, output: Path, selection: ReportFilter) -> None:
    """Choose the attacks of a contest on a run of it, print them, and write the file with them.

    For each defence it is the attack with the highest convergence rate. The written contest has
    these attacks alone and names the scenarios of the run, on which it is not evaluated.

    Raises ExperimentError unless the selection is one table with one complete contest of the file.
    """
    path = conditions_path(str(file))
    known = contest_sides(load_conditions(path).values())
    with Store(db, must_exist=True) as store:
        table, result = _training_run(store, selection)
    if result.sides not in known:
        raise ExperimentError(
            f"{file}: has no contest {result.sides.contest} with the sides of the run in {db}; "
            "give the conditions file of that run"
        )
    worst = {defence.name: defence.worst for defence in result.estimates.defences}
    if not all(worst.values()):
        raise ExperimentError(
            f"{db}: a defence has no valid answer under any attack; run more scenarios"
        )
    chosen = {defence: attacks[0] for defence, attacks in worst.items()}
    _print_choice(result, chosen)
    changes = {
        "attacks": list(dict.fromkeys(chosen.values())),
        "chosen_on": list(dict.fromkeys(o.scenario for o in table.outcomes)),
    }
    _write(path, output, result.sides.contest, changes)


def _training_run(store: Store, selection: ReportFilter) -> tuple[Table, ContestResult]:
    """Return the selected table and its contest; raises ExperimentError unless each is the only."""
    tables = [table for table in summarise(store, selection).tables if table.judge]
    if len(tables) != 1:
        raise ExperimentError(
            f"{store.path}: {len(tables)} judged tables match; name one by --experiment, --model "
            "and --judge"
        )
    (table,) = tables
    if not table.draws_headline:
        raise ExperimentError(f"{table.judge_sentence}; choose attacks by another judge's labels")
    results = table.groups.contests
    if len(results) != 1:
        raise ExperimentError(
            f"{store.path}: the run has {len(results)} complete contests, and one is needed; run "
            "all its cells"
        )
    return table, results[0]


def _print_choice(result: ContestResult, chosen: dict[str, str]) -> None:
    print_line(f"Attacks chosen on {result.scenarios} training scenarios, by the highest rate:")
    for defence, worst in chosen.items():
        rates = {
            attack: result.rates[defence, attack].value or 0.0
            for attack in result.sides.attacks
            if attack != NONE
        }
        listed = ", ".join(f"{attack} {100 * rate:.0f} %" for attack, rate in rates.items())
        is_tie = sum(rate == rates[worst] for rate in rates.values()) > 1
        print_line(f"  {defence}: {worst}  ({listed}){' first of a tie' * is_tie}")


def _write(file: Path, output: Path, name: str, changes: dict[str, list[str]]) -> None:
    """Write the conditions file with keys of one contest replaced."""
    tables: dict[str, Any] = parse_toml(read_text(file, ScenarioError), ScenarioError, str(file))
    for contest in tables["contest"]:
        if contest["name"] == name:
            contest |= changes
    with text_output(output, "conditions", [file]) as target:
        target.write(tomli_w.dumps(tables))
    print_line(f"Written: {output}", to_stderr=True)
