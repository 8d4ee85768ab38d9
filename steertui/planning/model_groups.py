"""Groups of catalogue models: filters of lists, and groups in place of a model's name.

A group is one or more terms joined by "+": "family:gemma-3", "kind:instruct", "quant:Q8_0",
"size:1-8" (billions of parameters) and "fits" (the memory of this machine).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from steertui.assets.catalogue import CatalogueModel, Quantisation, catalogue
from steertui.core.experiment import Experiment
from steertui.errors import ModelError, WithRemedy
from steertui.paths import expand_home, is_file
from steertui.units import list_text

BILLION = 1e9

_TERM = re.compile(
    r"(?P<fits>fits)|(?P<key>family|kind|quant|size):(?P<value>[^+]*)", re.IGNORECASE
)
_SIZE = re.compile(r"(?P<low>\d+(\.\d+)?)?(?P<dash>-)?(?P<high>\d+(\.\d+)?)?")


@dataclass(frozen=True, slots=True)
class ModelFilter:
    """Conditions on a quantisation of the catalogue; an empty one holds for all.

    Attributes:
        family: as in the catalogue, in any case; "" for all.
        kind: base, instruct, thinking or hybrid; "" for all.
        quant: name of a quantisation; "" for all.
        size: "1-8", "-8", "4-" or "8", in billions of parameters; "" for all.
        fits: whether weights and one slot must fit the memory of this machine.
    """

    family: str = ""
    kind: str = ""
    quant: str = ""
    size: str = ""
    fits: bool = False

    def __post_init__(self) -> None:
        known: dict[str, dict[str, None]] = {
            "family": dict.fromkeys(model.family for model in catalogue()),
            "kind": dict.fromkeys(str(model.kind) for model in catalogue()),
        }
        for name, values in known.items():
            given = getattr(self, name)
            if given and given.lower() not in values:
                raise ModelError(
                    f"{name} {given}: the catalogue has {list_text(values)}; name one of them"
                )
        _bounds(self.size)

    def matches(self, model: CatalogueModel, weights: Quantisation) -> bool:
        """Whether a quantisation meets all conditions."""
        from steertui.planning.inventory import fits_machine

        low, high = _bounds(self.size)
        return (
            self.family.lower() in ("", model.family)
            and self.kind.lower() in ("", model.kind)
            and self.quant.upper() in ("", weights.quant.upper())
            and low <= model.parameters / BILLION <= high
            and (not self.fits or fits_machine(model, weights))
        )


def _bounds(size: str) -> tuple[float, float]:
    """Return the limits of a range of sizes; raises ModelError for text of another form."""
    match = _SIZE.fullmatch(size)
    if not size:
        return 0.0, float("inf")
    if match is None or not (match["low"] or match["high"]):
        raise ModelError(
            f"size {size}: not a range of billions of parameters; write 1-8, -8, 4- or 8"
        )
    low = float(match["low"] or 0)
    if not match["dash"]:
        return low - 0.5, low + 0.5
    return low, float(match["high"] or "inf")


def parse_group(name: str) -> ModelFilter | None:
    """Return the filter of a group; None for any other model name, and for an existing file.

    Raises ModelError for a family, a kind or a size that does not exist.
    """
    if is_file(expand_home(name)):
        return None
    terms = [_TERM.fullmatch(term.strip()) for term in name.split("+")]
    values: dict[str, str] = {}
    for term in terms:
        if term is None:
            return None
        if term["key"]:
            values[term["key"].lower()] = term["value"].strip()
    return ModelFilter(**values, fits=any(term and term["fits"] for term in terms))


def has_group(names: Iterable[str]) -> bool:
    """Whether one of the names of models is a group."""
    return any(parse_group(name) for name in names)


def expand_models(experiment: Experiment) -> Experiment:
    """Return the experiment with the names of catalogue models in place of groups.

    Each model is in the list once, at its first place; of a group it is the default quantisation,
    or the first that meets the conditions. Raises ModelError for a group without a model.
    """
    names = dict.fromkeys(n for name in experiment.models for n in _expanded(name))
    if list(names) == experiment.models:
        return experiment
    return replace(experiment, models=list(names))


def _expanded(name: str) -> Iterator[str]:
    group = parse_group(name)
    if group is None:
        yield name
        return
    members = [
        next((weights for weights in model.weights if group.matches(model, weights)), None)
        for model in catalogue()
    ]
    found = [
        model.name if weights is model.weights[0] else f"{model.name}:{weights.quant}"
        for model, weights in zip(catalogue(), members, strict=True)
        if weights is not None
    ]
    if not found:
        raise ModelError(
            WithRemedy(
                f"{name}: no model of the catalogue meets these conditions",
                "`steertui models` lists all with their family, kind and size",
            )
        )
    yield from found
