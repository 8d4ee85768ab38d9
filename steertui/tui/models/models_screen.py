"""The Models screen: the catalogue and what lies here; fetch, verify, delete."""

import shutil
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable, Static

from steertui.assets.catalogue import catalogue
from steertui.assets.hash_cache import forget_digest
from steertui.assets.hub.cache import (
    all_cached_weights,
    cache_folder,
    files_to_remove,
    remove_weights,
)
from steertui.assets.weights import find_hub_name, locate_weights
from steertui.errors import SteertuiError
from steertui.planning.inventory import SLOT_TOKENS, InventoryRow, inventory_row
from steertui.planning.supply import Event, Requirements, Supplying, pull, supply
from steertui.tui.widgets.bars import progress_bar
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.prompts import Confirm, TextPrompt
from steertui.tui.widgets.sanitize import one_line
from steertui.units import size_text

HELP = """
The catalogue's models, and others that lie in the hub's cache. **f** fetches the one under the
cursor (what was fetched before goes on where it stopped), **a** any repository of the hub, such as
`unsloth/Qwen3-0.6B-GGUF:Q8_0`. **v** hashes a file anew against the bytes that were promised, **d**
deletes it. **c** ends what is being done; what came stays. What fits here is told in slots: answers
written at once, of 2,048 tokens each, beside the weights.
"""


@dataclass
class Moved(Message):
    """So much is done, in words and as a share."""

    text: str
    done: int = 0
    total: int = 0


class ModelsScreen(Page):
    """A row a quantisation."""

    NAME = "models"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fetch", "Fetch", id="models.fetch", tooltip="Fetch and verify it"),
        Binding("a", "add", "Another", id="models.add", tooltip="Any repository of the hub"),
        Binding("v", "verify", "Verify", id="models.verify", tooltip="Hash it anew"),
        Binding("d", "delete", "Delete", id="models.delete", tooltip="Remove it from the disk"),
        Binding("c", "cancel", "Cancel", id="models.cancel", tooltip="End it; what came stays"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[InventoryRow] = []
        self._stop = threading.Event()
        self._busy = False

    def body(self) -> ComposeResult:
        """Lay out: what is going on, the table."""
        yield Static(id="models-head", markup=False)
        yield DataTable[Text](id="models", cursor_type="row", classes="panel")

    def on_mount(self) -> None:
        """Name the columns."""
        table = self.query_one(DataTable)
        for name in ("model", "kind", "size", "here", "fits here"):
            table.add_column(name)
        table.focus()

    def reload(self) -> None:
        """Look what lies here."""
        self._list()

    @work(thread=True, exclusive=True, group="list", exit_on_error=False)
    def _list(self) -> None:
        rows = [inventory_row(model, weights) for model in catalogue() for weights in model.weights]
        known = {row.path for row in rows}
        for other in all_cached_weights():
            if str(other.paths[0]) not in known:
                size = sum(p.stat().st_size for p in other.paths)
                name = f"{other.repo}/{other.files[0]}"
                rows.append(
                    InventoryRow(name, "", "", size, "here", str(other.paths[0]), "", name, {}, "")
                )
        folder = next(f for f in (cache_folder(), *cache_folder().parents) if f.exists())
        free = shutil.disk_usage(folder).free
        self.app.call_from_thread(self._show, rows, free)

    def _show(self, rows: list[InventoryRow], free: int) -> None:
        self._rows, table = rows, self.query_one(DataTable)
        at = table.cursor_row
        table.clear()
        c = self.colours
        for row in rows:
            here = row.here != "no"
            table.add_row(
                Text(one_line(row.name), "bold" if here else ""),
                Text(row.kind, c.quiet),
                Text(size_text(row.size) if row.size else "?", justify="right"),
                Text(row.here, f"bold {c.blue}" if here else c.faint),
                Text(row.fits.removesuffix(f" of {SLOT_TOKENS} tokens"), c.quiet),
            )
        table.move_cursor(row=min(at, max(0, len(rows) - 1)))
        if not self._busy:
            count = sum(row.here != "no" for row in rows)
            told = (
                f" {count} of {len(rows)} here; {size_text(free)} free in {short(cache_folder())}"
            )
            self.query_one("#models-head", Static).update(Text(told, c.quiet))

    def _chosen(self) -> InventoryRow | None:
        table = self.query_one(DataTable)
        return self._rows[table.cursor_row] if self._rows else None

    def _begin(self, name: str, events: Generator[Event, None, None]) -> None:
        if self._busy:
            self.notify("One at a time: c ends what is being done.", markup=False)
            return
        self._busy = True
        self._stop.clear()
        self.refresh_bindings()
        self.run_worker(lambda: self._follow(name, events), thread=True, group="fetch")

    def _follow(self, name: str, events: Generator[Event, None, None]) -> None:
        ended = f"{name}: is here and verified"
        try:
            for event in events:
                if self._stop.is_set():
                    ended = f"{name}: stopped; what came stays, f goes on"
                    break
                if isinstance(event, Supplying):
                    told = f"{event.verb} {one_line(event.name)}"
                    self.post_message(Moved(told, event.all_done, event.total))
        except SteertuiError as exc:
            ended = str(exc)
        finally:
            events.close()
        self.app.call_from_thread(self._ended, ended)

    def _ended(self, told: str) -> None:
        self._busy = False
        self.refresh_bindings()
        self.notify(told, timeout=15, markup=False)
        self._list()

    @on(Moved)
    def _moved(self, message: Moved) -> None:
        text = Text(f" {message.text}  ", "bold")
        text.append_text(progress_bar(message.done, message.total, 30, self.colours))
        sizes = f"  {size_text(message.done)} of {size_text(message.total)}"
        text.append(sizes, self.colours.quiet)
        self.query_one("#models-head", Static).update(text)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer what makes sense now."""
        if action == "cancel":
            return self._busy
        return not self._busy if action in ("fetch", "add", "verify", "delete") else True

    def action_fetch(self) -> None:
        """Fetch and verify the model under the cursor."""
        row = self._chosen()
        if row:
            self._begin(row.name, pull([row.name]))

    @work(exit_on_error=False)
    async def action_add(self) -> None:
        """Fetch any repository's weights."""
        told = "Which weights? A repository of the hub with a quantisation."
        name = await self.app.push_screen_wait(TextPrompt(told, hint="owner/repository:Q4_K_M"))
        if name and name.strip():
            self._begin(name.strip(), pull([name.strip()]))

    def action_verify(self) -> None:
        """Hash the model under the cursor anew."""
        row = self._chosen()
        if not row or row.here == "no":
            self.notify("It is not here; f fetches it.", markup=False)
            return
        located = locate_weights(row.name)
        for path in located.paths if located else ():
            forget_digest(path)
        self._begin(row.name, supply(Requirements((row.name,))))

    @work(exit_on_error=False)
    async def action_delete(self) -> None:
        """Remove the model under the cursor."""
        row = self._chosen()
        if not row or row.here == "no":
            self.notify("It is not here.", markup=False)
            return
        found = (
            [h for h in all_cached_weights() if str(h.paths[0]) == row.path]
            if find_hub_name(row.name)
            else []
        )
        try:
            files = [str(p) for weights in found for p in files_to_remove(weights)]
            asked = "\n".join([f"Delete {row.name}, {size_text(row.size)}?", *files])
            if await self.app.push_screen_wait(Confirm(asked, "Delete")):
                for weights in found:
                    remove_weights(weights)
        except SteertuiError as exc:
            self.show_error(str(exc))
        self._list()

    def action_cancel(self) -> None:
        """End what is being done."""
        self._stop.set()

    def on_unmount(self) -> None:
        """Let a transfer end."""
        self._stop.set()


def short(folder: Path) -> str:
    """Return a folder's name, the user's own home as "~"."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
