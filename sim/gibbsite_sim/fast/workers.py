"""Threads that share the work of a run, cut into slices short enough for Ctrl-C to be heard.

A job is a generator that yields after every slice of compiled code, at most some tenths of a second
long; compiled code holds no interpreter lock. Chains are independent, so their bits do not depend
on who computes them.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from threading import Event

__all__ = ["Job", "Workers"]

Job = Callable[[], Iterator[None]]
"""Starts a piece of work, which yields after every slice."""

LOOK = 0.1
"""Seconds between two looks for signals while threads work."""


class Workers:
    """``threads`` threads, made when the first work is shared; one does it in the caller's."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None

    def run(self, jobs: Sequence[Job]) -> None:
        """Do all jobs; the first error, or Ctrl-C, stops the others after their slice."""
        if self.threads == 1 or len(jobs) < 2:
            for job in jobs:
                for _ in job():
                    pass
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, "gibbsite-fast")
        stop = Event()

        def work(job: Job) -> None:
            for _ in job():
                if stop.is_set():
                    return

        pending: set[Future[None]] = set()
        try:
            for job in jobs:
                pending.add(self._pool.submit(work, job))
            while pending:
                finished, pending = wait(pending, LOOK, FIRST_EXCEPTION)
                for future in finished:
                    future.result()
        except BaseException:
            stop.set()
            for future in pending:
                future.cancel()
            wait(pending)
            raise

    def close(self) -> None:
        """Give the threads back; closing twice is allowed."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
