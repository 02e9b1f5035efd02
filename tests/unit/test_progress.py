"""Bars appear on a terminal after their delay, and nowhere else."""

import io

import pytest
from rich.console import Console

from gibbsite import progress
from gibbsite.devices import _one_after_another
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


def test_an_interrupted_stage_goes_on_when_the_other_one_is_over() -> None:
    """Its clock, too: else a stage that was interrupted at once would never be long enough."""
    now = 0.0
    bars = Bars(1.0, Console(file=io.StringIO(), force_terminal=True, width=100))
    bars.get_time = lambda: now

    def running() -> list[str]:
        return [task.description for task in bars.tasks if task.stop_time is None]

    bars.report("drawing", 0, 1)
    now = 0.1
    bars.report("compiling", 0, 1)
    assert running() == ["compiling"]
    now = 3.0
    bars.report("compiling", 1, 1)
    assert running() == ["drawing"]
    now = 5.0
    assert [task.elapsed for task in bars.tasks] == pytest.approx([5.0, 2.9])
    bars.report("drawing", 1, 1)
    assert running() == []


def test_stages_one_after_another_end_where_the_next_begins() -> None:
    heard: list[tuple[str, int, int]] = []
    report = _one_after_another(lambda *words: heard.append(words))
    for words in (("verilate", 0, 1), ("compile", 3, 8), ("compile", 8, 8), ("run", 0, 1)):
        report(*words)
    closed = [("verilate", 1, 1), ("compile", 1, 1)]
    assert [words for words in heard if words in closed] == closed
    assert heard.index(("verilate", 1, 1)) < heard.index(("compile", 3, 8))


def test_what_is_quick_has_no_bar() -> None:
    assert "sample" not in drawn(delay=60.0)


def test_nothing_is_drawn_where_stderr_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.bars() as report:
        report("sample", 1, 2)
    assert capfd.readouterr() == ("", "")
