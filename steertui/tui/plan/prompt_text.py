"""Texts of the prompt screen: a prompt with its condition's texts and control tokens marked."""

import re
from collections.abc import Collection, Iterator, Sequence

from rich.text import Text

from steertui.core.condition import Condition
from steertui.core.scenario import Scenario
from steertui.planning.prompt_preview import (
    PromptPreview,
    Span,
    added_spans,
    messages_of,
)
from steertui.printable import one_line, printable
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.long_text import CHUNK, LongText
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.units import quantity


def show_prompt(
    view: LongText,
    preview: PromptPreview,
    scenario: Scenario,
    condition: Condition,
    colours: Palette,
) -> None:
    """Show the prompt of a scenario under a condition; its messages if it is not rendered."""
    view.clear()
    weights = (f"{title}: {what}" for title, what in condition.weight_parts)
    notes = [*preview.notes, *weights]
    for note in notes:
        view.add(Text(f"{one_line(in_screen_words(note))}.", colours.warning))
    if notes:
        view.add("")
    rendered = preview.rendered.get((scenario.name, condition.name))
    if rendered is not None:
        spans = added_spans(rendered, scenario, condition)
        _add(view, marked_lines(rendered, spans, preview.control, colours))
        return
    for title, text, spans in messages_of(scenario, condition):
        view.add(title, "heading")
        _add(view, [*marked_lines(text.rstrip(), spans, (), colours), Text()])


def length_text(preview: PromptPreview, scenario: Scenario, condition: Condition) -> str:
    """Return "312 tokens, at most 1,024 new, context 8,192"; "" for a prompt that is not
    rendered."""
    rendered = preview.rendered.get((scenario.name, condition.name))
    if rendered is None:
        return ""
    tokens = quantity(preview.tokens[rendered], "token")
    return f"{tokens}, at most {preview.max_tokens:,} new, context {preview.context:,}"


def marked_lines(
    text: str, added: Sequence[Span], control: Collection[str], colours: Palette
) -> list[Text]:
    """Return the lines of a text: `added` parts as suffixes are shown, control tokens in bold.

    A line of more than `CHUNK` characters is several, so that each is wrapped fast.
    """
    lines = [Text()]
    for part, style in _parts(text, added, colours):
        for piece in _split_at(part, control):
            is_token = piece in control
            first, *others = printable(piece).split("\n")
            marked = f"bold {colours.quiet}" if is_token else style
            lines[-1].append(first, marked)
            lines += (Text().append(other, marked) for other in others)
    return [part for line in lines for part in line.divide(range(CHUNK, len(line), CHUNK))]


def _add(view: LongText, lines: Sequence[Text]) -> None:
    for line in lines:
        view.add(line)


def _parts(text: str, added: Sequence[Span], colours: Palette) -> Iterator[tuple[str, str]]:
    """Yield the text's parts and their styles."""
    at = 0
    for start, end in added:
        yield text[at:start], ""
        yield text[start:end], f"italic {colours.blue}"
        at = end
    yield text[at:], ""


def _split_at(text: str, control: Collection[str]) -> list[str]:
    """Return the pieces of a text: control tokens, and what is between them."""
    present = sorted((token for token in control if token and token in text), key=len, reverse=True)
    if not present:
        return [text]
    return re.split(f"({'|'.join(map(re.escape, present))})", text)
