"""Compares what a monitor saw with what a model says, in order; seeing nothing is a failure."""

from collections import deque
from typing import Generic, TypeVar

__all__ = ["Scoreboard"]

T = TypeVar("T")


class Scoreboard(Generic[T]):
    """Two ordered lists that must be the same. Raises AssertionError at the first difference."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.matched = 0
        self._expected: deque[T] = deque()

    def expect(self, item: T) -> None:
        """The model says that this comes next."""
        self._expected.append(item)

    def saw(self, item: T) -> None:
        """The monitor saw this."""
        if not self._expected:
            raise AssertionError(f"{self.name}: {item} came, and nothing was expected")
        wanted = self._expected.popleft()
        if wanted != item:
            raise AssertionError(
                f"{self.name}: number {self.matched} is {item}, and the model says {wanted}"
            )
        self.matched += 1

    @property
    def open(self) -> int:
        """Items that the model expects and nobody saw yet."""
        return len(self._expected)

    def finish(self, least: int = 1) -> None:
        """End of the test: everything expected came, and at least ``least`` items did."""
        if self._expected:
            raise AssertionError(
                f"{self.name}: {self.open} items never came, the first is {self._expected[0]}"
            )
        if self.matched < max(least, 1):
            raise AssertionError(
                f"{self.name}: saw {self.matched} items where the test wants {max(least, 1)}"
            )
