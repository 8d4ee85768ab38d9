"""A Group: the devices that one engine computes on; several groups, several engines, one queue."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from steertui.engine.devices import Device, cards, devices
from steertui.errors import EngineError

CPU = "CPU"


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes free: of the accelerators together (0 where there is none), and of the host."""

    accelerator: int
    host: int


@dataclass(frozen=True, slots=True)
class DeviceGroup:
    """Accelerators that share a model's layers, or the CPU alone."""

    devices: tuple[Device, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """For llama.cpp."""
        return tuple(d.name for d in self.devices)

    @property
    def free(self) -> int:
        """Bytes free on its accelerators; 0 for the CPU."""
        return sum(d.free for d in self.devices if d.is_accelerator)


def free_memory() -> Memory:
    """Return what is free now, of all cards together."""
    return Memory(DeviceGroup(tuple(cards(devices()))).free, int(psutil.virtual_memory().available))


def read_groups(text: str, found: Sequence[Device]) -> tuple[DeviceGroup, ...]:
    """Return the groups that "CUDA0,CUDA1" (an engine each) or "CUDA0+CUDA1" (one) means.

    Raises EngineError for a name that this build does not see.
    """
    return tuple(
        DeviceGroup(tuple(_named(name.strip(), found) for name in part.split("+")))
        for part in text.split(",")
    )


def _named(name: str, found: Sequence[Device]) -> Device:
    usable = [d for d in found if d.is_accelerator or d.name == CPU]
    for device in usable:
        if device.name.lower() == name.lower():
            return device
    raise EngineError(
        f"--devices {name or '(nothing)'}: this build of llama.cpp sees "
        f"{', '.join(d.name for d in usable)}; see `steertui doctor`"
    )


def choose_groups(found: Sequence[Device], needed: float, most: int) -> tuple[DeviceGroup, ...]:
    """Return a group for each card that has `needed` bytes free, `most` at the most.

    Where no card alone has, all cards share the layers; where there is none, the CPU computes.
    """
    here = cards(found)
    alone = tuple(DeviceGroup((card,)) for card in here if card.free >= needed)
    return alone[:most] or (DeviceGroup(tuple(here or (d for d in found if d.name == CPU))),)


def memory_of(group: DeviceGroup, groups: Sequence[DeviceGroup], host: int) -> Memory:
    """Return what is free for one of several groups: what they share is divided among them."""
    users = Counter(name for g in groups for name in g.names)
    card = sum(d.free // users[d.name] for d in group.devices if d.is_accelerator)
    return Memory(card, host // len(groups))
