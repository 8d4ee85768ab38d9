"""The key bar shows whole keys only, at every width."""

from itertools import pairwise
from pathlib import Path

import pytest
from textual.pilot import Pilot

from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.session import Session, open_session
from tests.fixtures.screens import drive, press, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up

PALETTE = "-command-palette"


def bar(app: SteertuiApp) -> list[tuple[int, int, bool]]:
    """Return first column, end and whether it is the palette's key, of each key."""
    keys = app.screen.query("KeyBar FooterKey")
    return [(key.region.x, key.region.right, key.has_class(PALETTE)) for key in keys]


@pytest.mark.parametrize("page", ["1", "7"])
def test_no_key_is_cut_and_the_first_ones_are_shown(tmp_path: Path, page: str) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, page)
        counts = []
        for width in (40, 57, 80, 100, 121):
            await pilot.resize_terminal(width, 24)
            await wait_idle(pilot)
            await wait_until(pilot, lambda: bool(bar(app)) and bar(app)[-1][1] == app.size.width)
            *keys, palette = bar(app)
            assert palette[2]
            assert all(a[1] <= b[0] for a, b in pairwise(keys))
            assert keys[-1][1] <= palette[0]
            assert keys[-1][1] - keys[-1][0] == len(" q Quit ")
            counts.append(len(keys))
        assert counts == sorted(counts)
        assert 0 < counts[0] < counts[-1]

    drive(Session(tmp_path / "a.db"), story)


def test_keys_without_an_effect_are_not_offered(tmp_path: Path) -> None:
    offered: dict[bool, set[str]] = {}
    db = tmp_path / "b.db"
    made_up(db, ["an answer"] * 4)

    def enabled(app: SteertuiApp) -> set[str]:
        bindings = app.screen.active_bindings.values()
        return {active.binding.id or "" for active in bindings if active.enabled}

    for is_stored, session in (
        (False, Session(tmp_path / "a.db")),
        (True, open_session(None, db, Overrides(threads=1))),
    ):

        async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
            found = offered[is_stored] = set()  # noqa: B023
            for page in ("3", "4", "5"):
                await press(pilot, page)
                found |= enabled(app)
            await press(pilot, "3")
            assert "read.clear" not in enabled(app)
            if is_stored:  # noqa: B023
                await press(pilot, "c", "down", "enter")
                assert "read.clear" in enabled(app)

        drive(session, story)
    effective = {"read.search", "read.export", "read.model", "results.export", "label.batch"}
    assert effective <= offered[True]
    assert effective & offered[False] == set()
