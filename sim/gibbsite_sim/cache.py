"""A folder of built things named by their content: built once, whole or not there at all.

An entry is a folder with one file and a manifest of its size and SHA-256. It is built in a folder
beside it, flushed and renamed, under a lock that dies with its process. Good entries are read
without writing anything, so a cache that became read-only still serves what it has.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path

import platformdirs

from gibbsite_hw.spec.errors import DeviceError

__all__ = ["Cache", "CacheUnusable", "cache_folder"]

ENVIRONMENT = "GIBBSITE_CACHE"
MANIFEST = "manifest.json"
NEEDED = 200
"""MB that a build takes for a moment; about 1 MB remains."""

_UNFINISHED = ".unfinished-"


class CacheUnusable(DeviceError):
    """The cache folder cannot take a new build; what it already holds can still be used."""


def cache_folder() -> Path:
    """``GIBBSITE_CACHE`` if set, else the user's cache folder."""
    chosen = os.environ.get(ENVIRONMENT)
    folder = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("gibbsite")
    return folder.absolute()


class Cache:
    """Entries in one folder, made on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: str) -> Path | None:
        """The file of an entry that is whole, or None."""
        entry = self.folder / key
        try:
            name, size, digest = json.loads((entry / MANIFEST).read_bytes())
            content = (entry / name).read_bytes()
        except (OSError, ValueError, TypeError):
            return None
        whole = len(content) == size and sha256(content).hexdigest() == digest
        return entry / name if whole else None

    def obtain(self, key: str, make: Callable[[Path], Path], waiting: Callable[[], None]) -> Path:
        """The file of an entry, made by ``make(empty folder)`` if there is none that is whole.

        ``waiting`` is called once if another process is making it. Whatever ``make`` raises passes
        through and leaves nothing behind. Raises `CacheUnusable` on a full or read-only disk.
        """
        found = self.find(key)
        if found is not None:
            return found
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return self._make_locked(key, make, waiting)
        except OSError as error:
            raise self._unusable(error) from error

    def _make_locked(
        self, key: str, make: Callable[[Path], Path], waiting: Callable[[], None]
    ) -> Path:
        from filelock import FileLock, Timeout  # late: a warm start does not need it

        lock = FileLock(self.folder / f"{key}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire(poll_interval=0.2)
        try:
            found = self.find(key)  # the other process may have made it meanwhile
            if found is not None:
                return found
            self._sweep(key)
            return self._make(key, make)
        finally:
            lock.release()

    def _make(self, key: str, make: Callable[[Path], Path]) -> Path:
        work = Path(tempfile.mkdtemp(prefix=f"{key}{_UNFINISHED}", dir=self.folder))
        try:
            made = make(work)
            new = work / "entry"
            new.mkdir()
            made = made.rename(new / made.name)
            content = made.read_bytes()
            manifest = new / MANIFEST
            manifest.write_text(json.dumps([made.name, len(content), sha256(content).hexdigest()]))
            for path in (made, manifest, new):
                _flush(path)
            new.rename(self.folder / key)
            _flush(self.folder)
            return self.folder / key / made.name
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _sweep(self, key: str) -> None:
        """Remove a damaged entry and what a killed build left: under the lock, nobody uses them."""
        damaged = self.folder / key
        if damaged.exists():
            # renamed first: a half removed entry would be in the way of the new one
            damaged.rename(tempfile.mkdtemp(prefix=f"{key}{_UNFINISHED}", dir=self.folder))
        from filelock import FileLock, Timeout

        for left in self.folder.glob(f"*{_UNFINISHED}*"):
            other = left.name.partition(_UNFINISHED)[0]
            try:
                # builds of other keys may be under way: theirs are left alone
                with (
                    nullcontext()
                    if other == key
                    else FileLock(self.folder / f"{other}.lock", timeout=0)
                ):
                    shutil.rmtree(left, ignore_errors=True)
            except Timeout:
                continue

    def _unusable(self, error: OSError) -> CacheUnusable:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        reason = "is full" if full else f"cannot be written ({error.strerror or error})"
        return CacheUnusable(
            f"the cache folder {self.folder} {reason}, and building the simulated device needs "
            f"{NEEDED} MB there: make room or set {ENVIRONMENT} to a folder that can be written"
        )


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
