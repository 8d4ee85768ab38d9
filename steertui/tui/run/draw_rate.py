"""Rate limit for repeated work, so that it takes at most a share of the time."""

from math import inf

WEIGHT = 0.25
"""Weight of the newest duration in the moving average."""


class DrawRate:
    """Interval between two runs of a piece of work, from the measured duration of the work.

    One thread may add durations while another reads the interval.

    Attributes:
        share: maximum share of the time that the work takes in the long run, 0 to 1.
    """

    def __init__(self, share: float, minimum: float, maximum: float = inf) -> None:
        """Limit the interval to `minimum` to `maximum` seconds."""
        self.share = share
        self._minimum = minimum
        self._maximum = maximum
        self._mean = 0.0

    def add(self, seconds: float) -> None:
        """Add a measured duration to the exponential moving average."""
        self._mean = WEIGHT * seconds + (1 - WEIGHT) * self._mean if self._mean else seconds

    @property
    def interval(self) -> float:
        """Seconds from the start of one run of the work to the next."""
        return min(self._maximum, max(self._minimum, self._mean / self.share))
