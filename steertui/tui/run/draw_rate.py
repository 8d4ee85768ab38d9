"""A Pace: how often something is done, so that it takes no more than a share of the time."""

from math import inf


class DrawRate:
    """Told what each time took, in seconds; one thread may tell it and another ask.

    Attributes:
        share: of the time, what it may take in the long run.
    """

    def __init__(self, share: float, least: float, most: float = inf) -> None:
        """Leave `least` to `most` seconds between two times."""
        self.share = share
        self._least, self._most = least, most
        self._cost = 0.0

    def took(self, seconds: float) -> None:
        """Take note of one time; the last four or so count."""
        self._cost = seconds if not self._cost else (3 * self._cost + seconds) / 4

    @property
    def gap(self) -> float:
        """Seconds from one time to the next."""
        return min(self._most, max(self._least, self._cost / self.share))
