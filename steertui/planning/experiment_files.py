"""TOML files of experiments, and the files that an experiment names."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from steertui.assets.paper_texts import PAPER, pack_sources
from steertui.assets.weights import is_local_file
from steertui.core.condition_files import shipped_conditions
from steertui.core.experiment import Experiment, given_fields
from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.known_templates import is_template_file
from steertui.core.model import is_server
from steertui.core.scenario import shipped_packs
from steertui.errors import ExperimentError
from steertui.output_files import text_output
from steertui.paths import expand_home, is_file
from steertui.planning.model_groups import expand_models
from steertui.toml_files import load_toml, require_beside


def load_experiment(path: Path, changes: Mapping[str, object] | None = None) -> Experiment:
    """Return the experiment of a TOML file, with the fields in `changes` replaced.

    Text files that it names must be in the TOML file's folder. GGUF files may be anywhere, since
    experiments share them and their content is not sent to a server; a relative path is looked up
    in the TOML file's folder first.

    Groups of models are replaced by their members. Raises ExperimentError with key and remedy.
    """
    given = given_fields(changes or {})
    loaded = replace(load_toml(path, Experiment, ExperimentError), **given)  # type: ignore[arg-type]
    experiment = expand_models(loaded)
    return _anchored(experiment, path.parent, kept=given)


def save_experiment(experiment: Experiment, path: Path, inputs: Sequence[Path] = ()) -> None:
    """Write the experiment as TOML, with the paths of text files relative to its folder.

    Raises ExperimentError if a text file is outside the folder. Raises OutputError if `path`
    cannot be written, or is a file that must not be replaced, such as one of `inputs`.
    """
    folder = path.resolve().parent
    named: dict[tuple[str, str], str] = {}
    for field_name, name in text_files(experiment):
        file = expand_home(name).resolve()
        if not file.is_relative_to(folder):
            raise ExperimentError(
                f"{name}: is outside {folder}, and a TOML file may name only files in its own "
                "folder; copy the file there, or save the experiment in the folder of the file"
            )
        named[field_name, name] = _as_path(file.relative_to(folder).as_posix())
    with text_output(path, "experiment", inputs) as target:
        target.write(_renamed(experiment, named).to_toml())


def _as_path(relative: str) -> str:
    """Return a path that cannot be read as the name of a shipped pack or a known template."""
    return relative if "/" in relative or "." in relative else f"./{relative}"


def _renamed(experiment: Experiment, names: Mapping[tuple[str, str], str]) -> Experiment:
    """Return the experiment with other names for its files; `names` is by field and old name."""
    changed: dict[str, object] = {}
    for field_name in {field_name for field_name, _ in names}:
        value = getattr(experiment, field_name)
        if isinstance(value, list):
            changed[field_name] = [names.get((field_name, v), v) for v in value]
        else:
            changed[field_name] = names[field_name, value]
    return replace(experiment, **changed)  # type: ignore[arg-type]


def text_files(experiment: Experiment) -> list[tuple[str, str]]:
    """Return (field, name) of the text files and CSV folders that an experiment names."""
    e = experiment
    shipped = shipped_packs()
    packs = [pack for pack in e.scenarios if not pack_sources(pack) and pack not in shipped]
    named = [("scenarios", pack) for pack in packs]
    if e.conditions_file not in ("", PAPER, *shipped_conditions()):
        named.append(("conditions_file", e.conditions_file))
    if e.rubric not in ("steertui", PAPER):
        named.append(("rubric", e.rubric))
    if is_template_file(e.template):
        named.append(("template", e.template))
    return named


def weight_files(experiment: Experiment) -> list[str]:
    """Return the user's own GGUF files that an experiment names."""
    judges = [
        judge.removeprefix(JudgeKind.LOCAL.prefix)
        for judge in experiment.judges
        if parse_judge_kind(judge) is JudgeKind.LOCAL
    ]
    names = [name for name in experiment.models if not is_server(name)]
    return list(dict.fromkeys(name for name in (*names, *judges) if is_local_file(name)))


def _anchored(experiment: Experiment, folder: Path, kept: Collection[str]) -> Experiment:
    """Return the experiment with its file names resolved against the TOML file's folder.

    Fields in `kept` are left unchanged.
    """
    places = {
        (field_name, name): str(require_beside(folder, name, ExperimentError))
        for field_name, name in text_files(experiment)
        if field_name not in kept
    }
    weights = {
        (field_name, name): _weights_beside(folder, name)
        for field_name in ("models", "judges")
        for name in getattr(experiment, field_name)
        if field_name not in kept
    }
    return _renamed(experiment, places | weights)


def _weights_beside(folder: Path, name: str) -> str:
    """Return the name of a model or local judge, with the folder if it contains its GGUF file."""
    kind = JudgeKind.LOCAL.prefix if parse_judge_kind(name) is JudgeKind.LOCAL else ""
    path = name.removeprefix(kind)
    is_relative = path.endswith(".gguf") and not path.startswith("~")
    return f"{kind}{folder / path}" if is_relative and is_file(folder / path) else name
