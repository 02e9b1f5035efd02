"""Bars appear on a terminal after their delay, and nowhere else."""

import io

import pytest
from rich.console import Console

from gibbsite import progress
from gibbsite.progress_bars import Bars


def drawn(delay: float) -> str:
    """What a terminal is sent while three stages report."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Bars(delay, console) as bars:
        bars.report("elaborate", 0, 1)
        bars.report("compile", 3, 8)
        bars.report("sample", 40, 50)
        bars.refresh()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_stage_has_a_bar_with_its_count() -> None:
    text = drawn(delay=0.0)
    assert "elaborate" in text
    assert "3/8" in text
    assert "40/50" in text


def test_what_is_quick_has_no_bar() -> None:
    assert "sample" not in drawn(delay=60.0)


def test_nothing_is_drawn_where_stderr_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.bars() as report:
        report("sample", 1, 2)
    assert capfd.readouterr() == ("", "")
