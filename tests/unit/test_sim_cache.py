"""The cache: built once, whole or not there at all, whatever happens on the way."""

import ctypes
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from inspect import getsource
from pathlib import Path

import filelock
import pytest

from gibbsite_sim.cache import Cache, CacheUnusable, cache_folder

KEY = "answer"
NOBODY = 65534


def build(folder: Path) -> Path:
    """A real build, small enough for tests."""
    (folder / "answer.c").write_text("int answer(void) { return 42; }")
    command = ["g++", "-shared", "-fPIC", "-x", "c", "answer.c", "-o", "answer.so"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "answer.so"


# what the scripts below, which run in processes of their own, start with
PREAMBLE = "import os, subprocess, sys, time\nfrom pathlib import Path\n" + getsource(build)


def never(folder: Path) -> Path:
    raise AssertionError("built although the entry was there")


def silent() -> None:
    """Nobody waits in these tests."""


def answer(path: Path) -> int:
    # a copy, since the loader keeps what it once loaded under a name
    with tempfile.NamedTemporaryFile(suffix=".so") as copy:
        copy.write(path.read_bytes())
        copy.flush()
        return int(ctypes.CDLL(copy.name).answer())


def script(text: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", PREAMBLE + text, *arguments]


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if "unfinished" in path.name]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of this machine can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        (folder / "cache").chmod(0o755)


def test_an_entry_is_built_once(cache: Cache) -> None:
    first = cache.obtain(KEY, build, silent)
    assert answer(first) == 42
    assert cache.obtain(KEY, never, silent) == first
    assert left_over(cache.folder) == []


@pytest.mark.parametrize("damage", ["truncated", "changed", "gone", "no manifest", "bad manifest"])
def test_a_damaged_entry_is_built_anew(cache: Cache, damage: str) -> None:
    library = cache.obtain(KEY, build, silent)
    content = library.read_bytes()
    if damage == "truncated":
        library.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        library.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "gone":
        library.unlink()
    elif damage == "no manifest":
        (library.parent / "manifest.json").unlink()
    else:
        (library.parent / "manifest.json").write_text('["answer.so", 1')
    assert cache.find(KEY) is None
    assert answer(cache.obtain(KEY, build, silent)) == 42
    assert cache.obtain(KEY, never, silent) == library
    assert left_over(cache.folder) == []


def test_a_failed_build_leaves_nothing(cache: Cache) -> None:
    def fail(folder: Path) -> Path:
        build(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.obtain(KEY, fail, silent)
    assert cache.find(KEY) is None
    assert left_over(cache.folder) == []
    assert answer(cache.obtain(KEY, build, silent)) == 42


CONCURRENT = """
from gibbsite_sim.cache import Cache

def slow(folder):
    with open(sys.argv[2], "a") as log:
        log.write("built\\n")
    time.sleep(0.5)
    return build(folder)

waited = []
print(Cache(Path(sys.argv[1])).obtain("answer", slow, lambda: waited.append(1)), len(waited))
"""


def test_processes_that_come_at_once_build_once(tmp_path: Path) -> None:
    folder, log = tmp_path / "cache", tmp_path / "log"
    together = [
        subprocess.Popen(
            script(CONCURRENT, str(folder), str(log)), stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[0].split() for process in together]
    assert [process.returncode for process in together] == [0, 0, 0]
    assert log.read_text() == "built\n"
    assert len({path for path, _ in said}) == 1
    assert sum(int(waited) for _, waited in said) <= 2, "all three say that they waited"
    assert answer(Path(said[0][0])) == 42


KILLED = """
from gibbsite_sim.cache import Cache

def endless(folder):
    build(folder)
    Path(sys.argv[2]).touch()
    time.sleep(60)

Cache(Path(sys.argv[1])).obtain("answer", endless, lambda: None)
"""


def test_a_killed_build_is_in_nobodys_way(tmp_path: Path) -> None:
    folder, reached = tmp_path / "cache", tmp_path / "reached"
    process = subprocess.Popen(script(KILLED, str(folder), str(reached)))
    deadline = time.monotonic() + 30
    while not reached.exists():
        assert time.monotonic() < deadline, "the build never started"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(left_over(folder)) == 1, "nothing was left, so the test shows nothing"
    cache = Cache(folder)
    assert cache.find(KEY) is None
    assert answer(cache.obtain(KEY, build, silent)) == 42
    assert left_over(folder) == []


AS_NOBODY = f"""
import filelock
from gibbsite_sim.cache import Cache, CacheUnusable

if os.getuid() == 0:
    os.setuid({NOBODY})  # root may write anywhere
try:
    print(Cache(Path(sys.argv[1])).obtain(sys.argv[2], build, lambda: None))
except CacheUnusable as error:
    print(error)
    sys.exit(4)
"""


def test_a_read_only_folder_serves_what_it_has_and_says_what_it_cannot(open_folder: Path) -> None:
    folder = open_folder / "cache"
    library = Cache(folder).obtain(KEY, build, silent)
    folder.chmod(0o555)

    found = subprocess.run(
        script(AS_NOBODY, str(folder), KEY), capture_output=True, text=True, timeout=60
    )
    assert (found.returncode, found.stdout.strip()) == (0, str(library)), found.stderr

    refused = subprocess.run(
        script(AS_NOBODY, str(folder), "another"), capture_output=True, text=True, timeout=60
    )
    assert refused.returncode == 4, refused.stderr
    for part in (str(folder), "cannot be written", "Permission denied", "200 MB", "GIBBSITE_CACHE"):
        assert part in refused.stdout
    assert len(refused.stdout.splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CacheUnusable, match=r"file/cache cannot be written .*: make room or set"):
        Cache(tmp_path / "file" / "cache").obtain(KEY, build, silent)


FULL = """
import errno, resource, signal
from gibbsite_sim.cache import Cache, CacheUnusable

def build_in_little_room(folder):
    # no file may grow beyond this, which is how a full disk or quota shows
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    (folder / "large").write_bytes(bytes(5000))
    return folder / "large"

try:
    Cache(Path(sys.argv[1])).obtain("answer", build_in_little_room, lambda: None)
except CacheUnusable as error:
    print(error)
    sys.exit(4)
"""


def test_a_full_disk_is_one_sentence_and_breaks_nothing(cache: Cache) -> None:
    done = subprocess.run(
        script(FULL, str(cache.folder)), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 4, done.stderr
    assert f"the cache folder {cache.folder} is full" in done.stdout
    assert "200 MB" in done.stdout
    assert "GIBBSITE_CACHE" in done.stdout
    assert left_over(cache.folder) == []
    assert answer(cache.obtain(KEY, build, silent)) == 42


def test_leftovers_of_other_keys_go_but_not_those_of_builds_under_way(cache: Cache) -> None:
    cache.folder.mkdir(parents=True, exist_ok=True)
    dead, living = (cache.folder / f"{key}.unfinished-x" for key in ("dead", "living"))
    for folder in (dead, living):
        folder.mkdir()
    with filelock.FileLock(cache.folder / "living.lock"):
        cache.obtain("new", build, silent)
    assert not dead.exists()
    assert living.exists()


def test_the_folder_is_the_users_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBBSITE_CACHE", "/somewhere/else")
    assert cache_folder() == Path("/somewhere/else")
    monkeypatch.delenv("GIBBSITE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/me/.cache")
    assert cache_folder() == Path("/home/me/.cache/gibbsite")
    monkeypatch.setenv("GIBBSITE_CACHE", "near")
    assert cache_folder() == Path.cwd() / "near"
