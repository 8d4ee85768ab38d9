"""Dark and light theme: one accent colour for actions, and one colour per label.

The label colours follow the colour-blind-safe palette of Okabe and Ito (2008). In the light theme
they are darkened to a contrast ratio of at least 4.5:1.
"""

from textual.theme import Theme

from steertui.core.verdict import Label

DARK_LABELS = {
    Label.CONVERGENCE: "#ff7a33",
    Label.NO_CONVERGENCE: "#2fb890",
    Label.SAFETY_REFUSAL: "#e6b422",
    Label.NONSENSICAL: "#d992bd",
}
LIGHT_LABELS = {
    Label.CONVERGENCE: "#b34700",
    Label.NO_CONVERGENCE: "#00704f",
    Label.SAFETY_REFUSAL: "#7d5a00",
    Label.NONSENSICAL: "#9c3f77",
}

_SHARED = {
    "footer-key-background": "transparent",
    "footer-description-background": "transparent",
    "footer-item-background": "transparent",
    "link-style": "none",
    "link-style-hover": "none",
    "link-background-hover": "transparent",
    "block-cursor-text-style": "none",
    "block-cursor-blurred-text-style": "none",
}

DARK = Theme(
    name="steertui-dark",
    primary="#6cb6ff",
    secondary="#8fa3bf",
    accent="#6cb6ff",
    warning="#f2cc60",
    error="#ff6b6b",
    success="#2fb890",
    foreground="#d6dde6",
    background="#0f1318",
    surface="#141a21",
    panel="#1c242e",
    dark=True,
    variables=_SHARED
    | {
        "border": "#33404f",
        "border-blurred": "#33404f",
        "rule": "#26303b",
        "quiet": "#8593a3",
        "faint": "#586677",
        "cursor": "#263c55",
        "footer-key-foreground": "#6cb6ff",
        "footer-description-foreground": "#9aa8b8",
        "footer-background": "#141a21",
        "block-cursor-background": "#2b4a6b",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#26303b",
        "block-cursor-blurred-foreground": "#d6dde6",
        "scrollbar": "#33404f",
        "scrollbar-hover": "#4a5b6e",
        "scrollbar-active": "#6cb6ff",
        "scrollbar-background": "#141a21",
        "scrollbar-background-hover": "#141a21",
        "scrollbar-background-active": "#141a21",
        "scrollbar-corner-color": "#141a21",
    },
)

LIGHT = Theme(
    name="steertui-light",
    primary="#0b62b0",
    secondary="#51657d",
    accent="#0b62b0",
    warning="#8a6100",
    error="#b3261e",
    success="#00704f",
    foreground="#1d2732",
    background="#f3f1ec",
    surface="#fbfaf7",
    panel="#e9e6df",
    dark=False,
    variables=_SHARED
    | {
        "border": "#c9c4b8",
        "border-blurred": "#c9c4b8",
        "rule": "#dedad0",
        "quiet": "#5f6b78",
        "faint": "#939da8",
        "cursor": "#cfe2f5",
        "footer-key-foreground": "#0b62b0",
        "footer-description-foreground": "#4d5965",
        "footer-background": "#e9e6df",
        "block-cursor-background": "#bcd8f3",
        "block-cursor-foreground": "#10202f",
        "block-cursor-blurred-background": "#e3e0d8",
        "block-cursor-blurred-foreground": "#1d2732",
        "scrollbar": "#c9c4b8",
        "scrollbar-hover": "#aaa598",
        "scrollbar-active": "#0b62b0",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "scrollbar-corner-color": "#fbfaf7",
    },
)
