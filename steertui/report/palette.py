"""Colours of labels, conditions and page elements, for light and dark backgrounds."""

from collections.abc import Mapping
from types import MappingProxyType

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "page": "#f6f5f1",
        "surface": "#ffffff",
        "ink": "#1c2127",
        "soft": "#59626e",
        "rule": "#dfe1e4",
        "grid": "#eceded",
        "accent": "#1f5a8c",
        "warn": "#8a5300",
        "warnback": "#fdf3dd",
        "baseline": "#68717d",
        "pro": "#c2410c",
        "anti": "#0f766e",
        "placebo": "#7a68b3",
        "other": "#9a6700",
        "convergence": "#c2410c",
        "no_convergence": "#0f766e",
        "safety_refusal": "#6d4bb3",
        "nonsensical": "#7b828c",
    }
)

DARK: Mapping[str, str] = MappingProxyType(
    {
        "page": "#121518",
        "surface": "#1a1e23",
        "ink": "#e9ebee",
        "soft": "#a7afba",
        "rule": "#353b44",
        "grid": "#272c33",
        "accent": "#8fbbe8",
        "warn": "#f0c36b",
        "warnback": "#2d2615",
        "baseline": "#aab2bd",
        "pro": "#ff9466",
        "anti": "#52c7b5",
        "placebo": "#b8a8f0",
        "other": "#e0b252",
        "convergence": "#ff9466",
        "no_convergence": "#52c7b5",
        "safety_refusal": "#b8a0f5",
        "nonsensical": "#8f96a0",
    }
)

CONDITIONS = ("baseline", "pro", "anti", "placebo")
"""Conditions with a colour of their own."""


def condition_class(name: str) -> str:
    """Return the colour name of a condition, "other" for the user's own conditions."""
    return name if name in CONDITIONS else "other"


def css_variables(colours: Mapping[str, str]) -> str:
    """Return the colours as CSS custom properties."""
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


def resolve_variables(style: str, colours: Mapping[str, str] = LIGHT) -> str:
    """Return a style sheet with every `var(--name)` replaced by the colour.

    SVG viewers other than browsers do not support custom properties.
    """
    for name, value in colours.items():
        style = style.replace(f"var(--{name})", value)
    return style
