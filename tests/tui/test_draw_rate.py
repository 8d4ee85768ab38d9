"""How often a run is drawn, and what is drawn again."""

import asyncio

from rich.text import Text
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from steertui.tui.run.draw_rate import DrawRate
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.reflowing_text import ReflowingText


def test_what_costs_more_is_done_more_rarely_between_two_bounds() -> None:
    pace = DrawRate(0.02, 0.1, 1.0)
    assert pace.gap == 0.1
    for cost, gap in ((0.0001, 0.1), (0.01, 0.5), (0.5, 1.0)):
        for _ in range(40):
            pace.took(cost)
        assert abs(pace.gap - gap) < 0.01
    pace.share = 1.0
    assert abs(pace.gap - 0.5) < 0.01


def test_one_dear_time_alone_does_not_stop_it() -> None:
    pace = DrawRate(0.01, 1.0)
    for _ in range(8):
        pace.took(0.004)
    pace.took(0.2)
    assert pace.gap < 6


class Counted(App[None]):
    """Counts how often its two widgets are drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = 0

    def compose(self) -> ComposeResult:
        app = self

        class Panel(Static):
            def refresh(self, *args: object, **more: object) -> "Panel":
                app.drawn += 1
                return super().refresh(*args, **more)  # type: ignore[arg-type]

        class Words(ReflowingText):
            def update(self, *args: object, **more: object) -> None:
                app.drawn += 1
                super().update(*args, **more)  # type: ignore[arg-type]

        yield Panel("x", id="panel")
        yield Words(id="words")


def test_equal_words_and_titles_are_not_drawn_again_and_titles_are_no_markup() -> None:
    async def story() -> None:
        app = Counted()
        async with app.run_test() as pilot:
            panel, words = app.query_one("#panel", Static), app.query_one("#words", ReflowingText)
            set_titles(panel, "[bold]a[/bold]", "b [link")
            words.draw_with(lambda room: Text(f"{room.width}", "bold"))
            await pilot.pause()
            before = app.drawn
            for _ in range(5):
                set_titles(panel, "[bold]a[/bold]", "b [link")
                words.draw_with(lambda room: Text(f"{room.width}", "bold"))
            assert app.drawn == before
            words.draw_with(lambda room: Text(f"{room.width}", "red"))
            assert app.drawn == before + 1
            set_titles(panel, "other", "b [link")
            assert app.drawn > before + 1
            assert panel.border_subtitle is not None
            assert Content.from_markup(panel.border_subtitle).plain == "b [link"

    asyncio.run(story())
