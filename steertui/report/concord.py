"""A Concord as lines of text."""

from collections.abc import Iterator

from steertui.agreement import Agreement
from steertui.concord import Comparison, Concord
from steertui.verdict import Label

SHORT = {Label.CONVERGENCE: "conv", Label.NO_CONVERGENCE: "no_conv",
         Label.SAFETY_REFUSAL: "refusal", Label.NONSENSICAL: "nonsense"}  # fmt: skip


def lines(concord: Concord, *, items: bool = False) -> Iterator[str]:
    """Yield the whole comparison; `items` adds every answer labelled differently."""
    yield f"Judges: {', '.join(reader.name for reader in concord.readers)}"
    yield f"Krippendorff's alpha over all: {_number(concord.alpha)}"
    for comparison in concord.comparisons:
        yield ""
        yield from _pair(comparison, items=items)


def _pair(c: Comparison, *, items: bool) -> Iterator[str]:
    yield f"{c.second.name} against {c.first.name}: {_agreement(c.whole)}"
    for name, found in c.by_condition.items():
        yield f"  {name:<10} {_agreement(found)}"
    yield f"  {'rows ' + c.first.name:<26}" + "".join(f"{SHORT[x]:>9}" for x in Label)
    for label, row in zip(Label, c.confusion, strict=True):
        yield f"  {label:<26}" + "".join(f"{n:>9}" for n in row)
    for label, seen in c.labels.items():
        yield f"  {label:<15} precision {_share(seen.precision)}  recall {_share(seen.recall)}"
    for name, rate in c.corrected.items():
        told = f"  {name:<10} convergence by {c.second.name} {_share(rate.raw)}"
        if rate.value is None:
            yield f"{told}; not corrected: a label of that judge was never checked"
        else:
            limits = f"[{_share(rate.low)}, {_share(rate.high)}]"
            checked = f"{rate.references} checked"
            yield f"{told}, corrected {_share(rate.value)} {limits} ({checked})"
    for d in c.disagreements if items else ():
        yield f"  {d.model} {d.scenario} {d.condition}: {d.first} / {d.second}"


def _agreement(a: Agreement) -> str:
    if not a.items:
        return "no answer labelled by both"
    kappa = "kappa not defined (one label throughout)"
    if a.kappa is not None:
        kappa = f"kappa {a.kappa:.3f} [{_number(a.kappa_low)}, {_number(a.kappa_high)}]"
    return f"{a.agreed} of {a.items} equal ({_share(a.agreed / a.items)} %), {kappa}"


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
