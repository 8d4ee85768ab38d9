"""Origin of an experiment: the values that the user did not type, and their source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from steertui.core.experiment import Experiment, given_fields
from steertui.errors import ExperimentError
from steertui.planning.experiment_files import text_files

REACHING = ("models", "scenarios", "conditions_file", "judges", "rubric", "template")
"""Fields that make a run contact a host, or fetch or read a file."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Source of an experiment.

    Attributes:
        place: TOML file or database; "" for an experiment that the user typed.
        is_database: whether the source is a database. Text files that it names are not read, unless
            `knows_files`.
        knows_files: whether this user ran or agreed to the same hosts, models and files before, on
            this machine.
        received: (field, value) pairs that the user did not type, of the fields in `REACHING`.
    """

    place: str = ""
    is_database: bool = False
    knows_files: bool = False
    received: frozenset[tuple[str, str]] = frozenset()

    def typed(self, field: str, kept: object = ()) -> Self:
        """Return the origin after the user changed a field and kept the values `kept`."""
        left = kept if isinstance(kept, list) else ()
        remaining = {(f, value) for f, value in self.received if f != field or value in left}
        return replace(self, received=frozenset(remaining))

    def part(self, experiment: Experiment) -> Experiment:
        """Return the default experiment with only the received values set.

        The names of the conditions are kept: they select adapters of a received conditions file.
        """
        given: dict[str, object] = {"conditions": experiment.conditions}
        for field in REACHING:
            values = getattr(experiment, field)
            kept = [v for v in _listed(values) if (field, v) in self.received]
            if kept:
                given[field] = kept if isinstance(values, list) else kept[0]
        return replace(Experiment(), **given)  # type: ignore[arg-type]

    def unread_files(self, experiment: Experiment) -> Sequence[tuple[str, str]]:
        """Return field and name of each text file that a database names and nothing reads."""
        is_unread = self.is_database and not self.knows_files
        return text_files(self.part(experiment)) if is_unread else []

    def require_readable(self, experiment: Experiment) -> None:
        """Raise ExperimentError if a database names a text file that must not be read."""
        named = self.unread_files(experiment)
        if named:
            field, name = named[0]
            raise ExperimentError(
                f"{self.place}: the stored experiment names the file {name} ({field}), and "
                "steertui reads no file because a database names it; enter the name again on the "
                "Plan screen, or run the command that planned it"
            )


TYPED = Origin()
"""Origin of presets and of experiments that the user typed."""


def origin_of(experiment: Experiment, place: str, *, is_database: bool) -> Origin:
    """Return the origin of an experiment read completely from a TOML file or a database."""
    pairs = ((field, v) for field in REACHING for v in _listed(getattr(experiment, field)))
    return Origin(place, is_database, received=frozenset(pairs))


def file_origin(experiment: Experiment, file: Path | None, changes: Mapping[str, object]) -> Origin:
    """Return the origin of an experiment from a TOML file with some fields set by options."""
    if file is None:
        return TYPED
    origin = origin_of(experiment, str(file), is_database=False)
    for name in given_fields(changes):
        origin = origin.typed(name)
    return origin


def _listed(value: list[str] | str) -> list[str]:
    return value if isinstance(value, list) else [value]
