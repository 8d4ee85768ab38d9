"""Device groups: the devices of each engine, and the memory they share."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from steertui.engine.devices import Device, default_accelerators, devices
from steertui.errors import EngineError

CPU = "CPU"


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in bytes.

    Attributes:
        accelerator: of all accelerators together; 0 if there is none.
        host: main memory.
    """

    accelerator: int
    host: int


@dataclass(frozen=True, slots=True)
class DeviceGroup:
    """Devices of one engine: accelerators that share the model's layers, or the CPU alone."""

    devices: tuple[Device, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """llama.cpp's names of the devices."""
        return tuple(d.name for d in self.devices)

    @property
    def free(self) -> int:
        """Free bytes on its accelerators; 0 for the CPU."""
        return sum(d.free for d in self.devices if d.is_accelerator)


def free_memory() -> Memory:
    """Return the memory that is free now."""
    accelerators = DeviceGroup(tuple(default_accelerators(devices())))
    return Memory(accelerators.free, int(psutil.virtual_memory().available))


def total_memory() -> Memory:
    """Return the memory of this machine, free or not."""
    accelerators = default_accelerators(devices())
    return Memory(sum(d.total for d in accelerators), int(psutil.virtual_memory().total))


def parse_groups(text: str, available: Sequence[Device]) -> tuple[DeviceGroup, ...]:
    """Return the groups of "CUDA0,CUDA1" (one engine each) or "CUDA0+CUDA1" (one engine).

    Raises EngineError for a device that this build of llama.cpp does not support.
    """
    return tuple(
        DeviceGroup(tuple(_find_device(name.strip(), available) for name in part.split("+")))
        for part in text.split(",")
    )


def _find_device(name: str, available: Sequence[Device]) -> Device:
    usable = [d for d in available if d.is_accelerator or d.name == CPU]
    for device in usable:
        if device.name.lower() == name.lower():
            return device
    raise EngineError(
        f"--devices {name or '(empty)'}: this build of llama.cpp has "
        f"{', '.join(d.name for d in usable)}; see `steertui doctor`"
    )


def choose_groups(
    available: Sequence[Device], needed: float, max_groups: int
) -> tuple[DeviceGroup, ...]:
    """Return one group for each accelerator with `needed` free bytes, at most `max_groups`.

    If no accelerator has that much memory, all of them share the layers. If there is none, the CPU
    is used.
    """
    accelerators = default_accelerators(available)
    large = tuple(DeviceGroup((device,)) for device in accelerators if device.free >= needed)
    if large:
        return large[:max_groups]
    cpu = [device for device in available if device.name == CPU]
    return (DeviceGroup(tuple(accelerators or cpu)),)


def engines_that_fit(groups: Sequence[DeviceGroup], needed: float) -> float:
    """Return how many engines of `needed` bytes fit each group; 1 unless each is one card.

    On an integrated GPU, CPU and GPU share memory and power: several engines are not tried there.
    """
    devices_of_groups = [group.devices for group in groups]
    if all(
        len(d) == 1 and d[0].is_accelerator and not d[0].is_integrated for d in devices_of_groups
    ):
        return min(group.free for group in groups) // needed
    return 1


def group_memory(group: DeviceGroup, groups: Sequence[DeviceGroup], host: int) -> Memory:
    """Return one group's free memory.

    Main memory is divided equally among the groups, and so is a device that several groups use.
    `host` is the free main memory in bytes.
    """
    users = Counter(name for g in groups for name in g.names)
    accelerator = sum(d.free // users[d.name] for d in group.devices if d.is_accelerator)
    return Memory(accelerator, host // len(groups))
