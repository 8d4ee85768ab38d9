"""Memory and disk that an experiment needs on this machine."""

from dataclasses import dataclass

from steertui.assets.hub.cache import free_space
from steertui.assets.weights import locate_weights
from steertui.core.experiment import Experiment
from steertui.engine.device_groups import free_memory
from steertui.errors import SteertuiError
from steertui.planning.reach import Sizes
from steertui.planning.supply import requirements_of


@dataclass(frozen=True, slots=True)
class Footprint:
    """Weights that a run holds in memory at once, and what is free; all sizes in bytes.

    Attributes:
        name: model or local judge with the largest weights; one of them is in memory at a time.
        weights: size of its files.
        others_unknown: number of the other ones whose size is not known.
        memory: free memory of this machine, accelerators included.
        disk: free space of the disk to which weights are downloaded.
    """

    name: str
    weights: int
    others_unknown: int
    memory: int
    disk: int


def footprint_of(experiment: Experiment, downloads: Sizes) -> Footprint | None:
    """Return the footprint of an experiment; None if it has no weights of known size.

    `downloads` has the names and bytes of the weights that are not on this machine.
    """
    try:
        names = requirements_of(experiment).models
        sizes = {name: dict(downloads).get(name, 0) or _size_on_disk(name) for name in names}
    except SteertuiError:
        return None  # the estimate has the error
    name = max(sizes, key=lambda each: sizes[each], default="")
    if not sizes.get(name):
        return None
    memory = free_memory()
    return Footprint(
        name,
        sizes[name],
        others_unknown=sum(not size for size in sizes.values()),
        memory=memory.accelerator + memory.host,
        disk=free_space(),
    )


def _size_on_disk(name: str) -> int:
    located = locate_weights(name)
    return sum(path.stat().st_size for path in located.paths) if located else 0
