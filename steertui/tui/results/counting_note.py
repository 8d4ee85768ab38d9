"""Note that the numbers on the Results screen are those before the last change."""

from textual.widgets import Static

COUNTING = "Counting answers and labels …"

COUNTING_AGAIN = f"{COUNTING} The numbers below are those before the last change."

AGAIN_AFTER = 0.2
"""Seconds of a new count after which the numbers that are shown are called old."""


class CountingNote(Static):
    """Line that is shown while numbers that are on the screen are counted again."""

    def __init__(self) -> None:
        super().__init__(COUNTING_AGAIN, id="counting-again", markup=False)
        self.display = False
        self._begun: object = None

    def begin(self) -> object:
        """Begin a count; it is noted if it takes longer than `AGAIN_AFTER`. Return its mark."""
        begun = self._begun = object()
        self.set_timer(AGAIN_AFTER, lambda: self._show(begun))
        return begun

    def _show(self, begun: object) -> None:
        self.display = self.display or self._begun is begun

    def end(self, begun: object) -> None:
        """End the count with this mark, unless a later one has begun."""
        if self._begun is begun:
            self._begun = None
            self.display = False
