"""Draw rate, and redrawing only on a change."""

import asyncio

from rich.text import Text
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from steertui.tui.run.draw_rate import DrawRate
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.reflowing_text import ReflowingText


def test_interval_grows_with_the_duration_within_its_limits() -> None:
    rate = DrawRate(0.02, 0.1, 1.0)
    assert rate.interval == 0.1
    for duration, interval in ((0.0001, 0.1), (0.01, 0.5), (0.5, 1.0)):
        for _ in range(40):
            rate.add(duration)
        assert abs(rate.interval - interval) < 0.01
    rate.share = 1.0
    assert abs(rate.interval - 0.5) < 0.01


def test_one_slow_run_raises_the_interval_by_a_bounded_amount() -> None:
    rate = DrawRate(0.01, 1.0)
    for _ in range(8):
        rate.add(0.004)
    rate.add(0.2)
    assert rate.interval < 6


class Counted(App[None]):
    """App that counts how often its two widgets are drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = 0

    def compose(self) -> ComposeResult:
        app = self

        class CountedPanel(Static):
            def refresh(self, *args: object, **more: object) -> "CountedPanel":
                app.drawn += 1
                return super().refresh(*args, **more)  # type: ignore[arg-type]

        class CountedText(ReflowingText):
            def update(self, *args: object, **more: object) -> None:
                app.drawn += 1
                super().update(*args, **more)  # type: ignore[arg-type]

        yield CountedPanel("x", id="panel")
        yield CountedText(id="text")


def test_unchanged_text_and_titles_are_not_redrawn_and_titles_are_not_markup() -> None:
    async def story() -> None:
        app = Counted()
        async with app.run_test() as pilot:
            panel = app.query_one("#panel", Static)
            text = app.query_one("#text", ReflowingText)
            set_titles(panel, "[bold]a[/bold]", "b [link")
            text.draw_with(lambda room: Text(f"{room.width}", "bold"))
            await pilot.pause()
            before = app.drawn
            for _ in range(5):
                set_titles(panel, "[bold]a[/bold]", "b [link")
                text.draw_with(lambda room: Text(f"{room.width}", "bold"))
            assert app.drawn == before
            text.draw_with(lambda room: Text(f"{room.width}", "red"))
            assert app.drawn == before + 1
            set_titles(panel, "other", "b [link")
            assert app.drawn > before + 1
            assert panel.border_subtitle is not None
            assert Content.from_markup(panel.border_subtitle).plain == "b [link"

    asyncio.run(story())
