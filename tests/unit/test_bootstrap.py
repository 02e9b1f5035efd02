"""`tools/nox` and its environments: what is missing is named, and an environment is made once."""

import importlib.util
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def environments(checkout: Path) -> ModuleType:
    """`tools/environments.py`, which belongs to no package."""
    spec = importlib.util.spec_from_file_location(
        "environments", checkout / "tools" / "environments.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout of nothing but an empty lock file: its environment is a bare venv."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "bare.txt").write_text("", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    return tmp_path


def bootstrap(checkout: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    """Run `tools/nox -l` with nothing on PATH but the programs in a folder."""
    return subprocess.run(
        ["/bin/sh", str(checkout / "tools" / "nox"), "-l"],
        env={"PATH": str(programs)},
        text=True,
        capture_output=True,
        check=False,
    )


def fake(folder: Path, name: str, code: int = 0) -> None:
    """Put a program there that does nothing and ends with `code`."""
    program = folder / name
    program.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize("missing", ["g++", "make", "perl"])
def test_a_missing_tool_is_named_with_its_package(
    checkout: Path, tmp_path: Path, missing: str
) -> None:
    for name in {"g++", "make", "perl"} - {missing}:
        fake(tmp_path, name)
    done = bootstrap(checkout, tmp_path)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1, "one line"
    assert f"{missing} is missing" in done.stderr
    assert f"apt-get install {missing}" in done.stderr


@pytest.mark.parametrize("old", [True, False])
def test_a_missing_or_old_python_is_named(checkout: Path, tmp_path: Path, old: bool) -> None:
    for name in ("g++", "make", "perl"):
        fake(tmp_path, name)
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    if old:
        fake(tmp_path, "python3", code=1)  # what the version check answers on an older one
    done = bootstrap(checkout, tmp_path)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1, "one line"
    assert "CPython 3.11 or newer is missing" in done.stderr


def test_an_environment_is_made_once_and_again_when_its_lock_changes(
    environments: ModuleType, bare: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = environments.prepare("bare", checkout=False, root=bare)
    assert (environments.executables(home) / "python").exists()
    assert capfd.readouterr().err.count("making") == 1
    assert environments.prepare("bare", checkout=False, root=bare) == home
    assert capfd.readouterr().err == "", "found ready, nothing said"
    # an interrupted one: made up to the stamp, with a stale file in it
    (home / environments.STAMP).unlink()
    (home / "stale").touch()
    assert environments.prepare("bare", checkout=False, root=bare) == home
    assert not (home / "stale").exists()
    assert capfd.readouterr().err.count("making") == 1
    lock = bare / "locks" / "bare.txt"
    key = environments._key(lock, bare)
    assert home.name == f"bare-{key}"
    lock.write_text("# another\n", encoding="utf-8")
    assert environments._key(lock, bare) != key


def test_two_that_start_at_once_make_one_environment(checkout: Path, bare: Path) -> None:
    program = (
        f"import pathlib, sys; sys.path.insert(0, {str(checkout / 'tools')!r});"
        "import environments;"
        f"print(environments.prepare('bare', checkout=False, root=pathlib.Path({str(bare)!r})))"
    )
    done: list[subprocess.CompletedProcess[str]] = []

    def start() -> None:
        command = [sys.executable, "-c", program]
        done.append(subprocess.run(command, text=True, capture_output=True, check=True))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.stdout for one in done}) == 1
    assert sum(one.stderr.count("making") for one in done) == 1


def test_a_failed_install_is_said_and_leaves_no_ready_environment(
    environments: ModuleType, bare: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # a requirement without a hash is refused by pip before anything is fetched
    (bare / "locks" / "bare.txt").write_text("numpy==2.0.0\n", encoding="utf-8")
    with pytest.raises(environments.EnvironmentFailed, match="exit code 1"):
        environments.prepare("bare", checkout=False, root=bare)
    assert "hash" in capfd.readouterr().err.lower()
    assert not list((bare / ".nox").glob(f"*/{environments.STAMP}"))


def test_the_lock_files_are_pinned_with_hashes_and_name_no_other_index(checkout: Path) -> None:
    locks = sorted((checkout / "locks").glob("*.txt"))
    assert [path.stem for path in locks] == ["dev", "host", "nox", "silicon", "solve"]
    for path in locks:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert lines
        for line in lines:
            assert "==" in line, line
            assert "--hash=sha256:" in line, line
        assert "://" not in text, "an index or a file address"
        assert "/index" not in text
