"""The HTML page in a real browser: mouse, keyboard, hostile texts, accessibility."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.verdict import Label
from steertui.report.page import writer
from steertui.report.page.writer import write_page
from steertui.store import Store
from tests.fixtures import large, replica
from tests.fixtures.browser import running_browser
from tests.fixtures.rehashing import rehash

pytestmark = pytest.mark.slow

AXE = Path(__file__).resolve().parents[2] / ".venv/node_modules/axe-core/axe.min.js"
HOSTILE = (
    '</script><script>window.hurt = 1</script><img src=x onerror="window.hurt = 2">'
    "{{ 7 * 7 }} ]]> \u2028 \x1b[31m \x00 &lt;b&gt; </dialog></pre>\n**bold** [a](javascript:1)"
)

HOSTILE_TEXT = HOSTILE.replace("\x00", "")
"""Without NUL, which separates texts in a content hash and is refused there."""


def page_of(db: Path, path: Path) -> list[Path]:
    with Store(db) as store:
        return write_page(store, summarise(store, ReportFilter(("all",))), path)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "a folder with spaces"
    folder.mkdir()
    large.write(folder / "a.db", models=2, samples=1, judges=2, words=30)
    with sqlite3.connect(folder / "a.db") as db:
        db.execute("UPDATE generations SET answer = ?, reasoning = ?", (HOSTILE, HOSTILE))
        db.execute("UPDATE verdicts SET reason = ?", (HOSTILE,))
        db.execute(
            "UPDATE scenarios SET title = ?, task = ?, category = ? || category",
            (HOSTILE_TEXT, HOSTILE_TEXT, HOSTILE_TEXT),
        )
        db.execute("UPDATE models SET title = ?, name = ? || name", (HOSTILE, HOSTILE))
        db.execute("UPDATE experiments SET toml = ?", (HOSTILE,))
        db.execute("UPDATE conditions SET suffix = ?, about = ?", (HOSTILE_TEXT, HOSTILE_TEXT))
    db.close()
    rehash(folder / "a.db")
    page_of(folder / "a.db", folder / "a.html")
    return folder / "a.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with running_browser() as running:
        yield running


def opened(browser: Any, path: Path, width: int = 1400, scheme: str = "light") -> Any:
    """Return the page; `messages` has the errors and warnings of its console."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(20_000)
    messages: list[str] = []
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("console", lambda m: messages.extend([m.text] * (m.type in ("error", "warning"))))
    page.messages = messages
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("width", [1400, 400])
def test_the_page_opens_without_console_messages_and_fits_its_window(
    browser: Any, written: Path, width: int
) -> None:
    page = opened(browser, written, width)
    assert page.messages == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("svg.chart").count() > 4
    page.close()


def test_a_click_opens_a_cells_texts_and_escape_closes_them(browser: Any, written: Path) -> None:
    page = opened(browser, written)
    page.locator(".heat button.cell").nth(1).click()
    page.wait_for_selector("#reader .answer")
    assert page.locator("#reader .answer-card").count() == 4
    assert page.locator("#reader .answer-card.here h3").inner_text() == "pro"
    page.keyboard.press("Escape")
    assert not page.locator("#reader").is_visible()
    assert page.evaluate("document.activeElement.className").startswith("cell")
    page.close()


def test_a_cell_is_reached_and_opened_by_keyboard(browser: Any, written: Path) -> None:
    page = opened(browser, written)
    page.locator(".heat button.cell").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#reader .answer")
    assert page.locator("#reader .answer-card.here h3").inner_text() == "anti"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("category-0/02, anti: ")
    page.close()


def test_texts_are_never_markup(browser: Any, written: Path) -> None:
    page = opened(browser, written)
    page.locator(".heat button.cell").first.click()
    page.wait_for_selector("#reader .answer")
    shown = page.locator("#reader .answer").first.evaluate("e => e.textContent")
    assert shown == HOSTILE
    assert page.locator("#reader .answer").first.evaluate("e => e.children.length") == 0
    assert page.evaluate("window.hurt") is None
    assert page.locator("img").count() == 0
    assert "49" not in page.locator("#reproduce pre").first.inner_text()
    assert page.messages == []
    page.close()


def test_the_theme_follows_the_system_and_can_be_switched(browser: Any, written: Path) -> None:
    page = opened(browser, written, scheme="dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    page.close()


def violations(page: Any) -> list[tuple[str, str, list[str]]]:
    found = page.evaluate("axe.run()")["violations"]
    return [(v["id"], v["impact"], [n["html"][:90] for n in v["nodes"][:3]]) for v in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_axe_finds_no_violations(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed (npm install --prefix .venv axe-core)")
    large.write(tmp_path / "b.db", models=1, samples=3, judges=2, words=20)
    page_of(tmp_path / "b.db", tmp_path / "b.html")
    page = opened(browser, tmp_path / "b.html", width, scheme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert violations(page) == []
    page.locator(".heat button.cell").first.click()
    page.wait_for_selector("#reader .answer")
    assert violations(page) == []
    page.close()


@pytest.mark.parametrize("width", [1400, 400])
def test_a_changed_item_opens_both_answers(browser: Any, tmp_path: Path, width: int) -> None:
    replica.write(tmp_path / "d.db", lambda *o: None if o[1] == 5 else Label.CONVERGENCE)
    with Store(tmp_path / "d.db") as store:
        write_page(store, summarise(store, ReportFilter()), tmp_path / "d.html")
    page = opened(browser, tmp_path / "d.html", width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    link = page.locator("#paper button.link[data-c=anti]").nth(3)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#r-paper .answer")
    name = link.get_attribute("data-s")
    assert page.locator("#r-answers .here .answer").inner_text() == f"ours {name} anti"
    assert page.locator("#r-paper .here .answer").inner_text() == f"theirs {name} anti"
    assert "no convergence" in page.locator("#r-paper .here .chip").inner_text()
    if AXE.is_file():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert violations(page) == []
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.s") == name
    assert page.messages == []
    page.close()


def test_many_texts_are_in_files_and_still_open(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large.write(tmp_path / "c.db", models=1, samples=2, words=40)
    monkeypatch.setattr(writer, "MAX_INLINE", 1000)
    path, beside = page_of(tmp_path / "c.db", tmp_path / "c.html")
    assert beside.is_dir()
    page = opened(browser, path)
    page.locator(".heat button.cell").first.click()
    page.wait_for_selector("#reader .answer")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#r-where').textContent === 'sample 2 of 2'")
    assert page.messages == []
    shutil.rmtree(beside)
    page.reload()
    page.locator(".heat button.cell").first.click()
    page.wait_for_selector("#reader .notice")
    assert "next to this page" in page.locator("#reader .notice").inner_text()
    page.close()
