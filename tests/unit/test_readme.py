"""README's examples are run as they stand: Python blocks execute, commands answer what is shown.

In a `console` block a line that starts with `$ ` is a command and the lines under it are what it
prints; `...` stands for any text, as in doctest. Commands of other programs than `gibbsite` are for
the reader's shell (they would start this test again).
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(checkout: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of README.md in these languages."""
    text = (checkout / "README.md").read_text(encoding="utf-8")
    return [body for language, body in BLOCK.findall(text) if language in languages]


def commands(block: str) -> list[tuple[str, str]]:
    """Split a console block into (command, shown output)."""
    pairs: list[tuple[str, str]] = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            pairs.append((line[2:].strip(), ""))
        elif pairs:
            pairs[-1] = (pairs[-1][0], pairs[-1][1] + line)
    return [(command, shown) for command, shown in pairs if command.startswith("gibbsite ")]


def matches(shown: str, printed: str) -> bool:
    """True where the printed text is the shown one; `...` stands for anything."""

    def clean(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"

    checker = doctest.OutputChecker()
    return checker.check_output(clean(shown), clean(printed), doctest.ELLIPSIS)


@pytest.mark.sim
def test_python_blocks_execute(checkout: Path, tmp_path: Path) -> None:
    found = blocks(checkout, "python")
    assert found, "README.md shows no Python example"
    for block in found:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", block],
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        for line in re.findall(r"# prints (.*)", block):
            assert matches(f"...{line}...", done.stdout), (line, done.stdout)


@pytest.mark.sim
def test_commands_print_what_is_shown(checkout: Path, tmp_path: Path) -> None:
    found = [pair for block in blocks(checkout, "console") for pair in commands(block)]
    assert found, "README.md shows no command"
    for command, shown in found:
        done = subprocess.run(
            [sys.executable, "-m", "gibbsite", *shlex.split(command)[1:]],
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
            env={**os.environ, "COLUMNS": "100"},
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert matches(shown, done.stdout), f"{command}\nprinted:\n{done.stdout}"


def test_a_wrong_output_is_seen() -> None:
    assert matches("makespan ... h\n", "makespan 16 h\n")
    assert not matches("makespan ... h\n", "makespan 16 min\n")
    assert commands("$ ls\nx\n$ gibbsite devices\nsim:\n") == [("gibbsite devices", "sim:\n")]
