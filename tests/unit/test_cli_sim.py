"""The command line on the device `sim:`: the main job, waveforms, interrupts, a missing tool."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from gibbsite import cli

pytestmark = pytest.mark.sim

TWO_TASKS = "Schedule 2 tasks on 2 machines. Each task takes 2 hours. Finish everything soonest."


def test_the_main_job(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (checkout / "examples" / "harmonogram.txt").read_text(encoding="utf-8")
    assert cli.run(["solve", "--json", "--device", "sim:", "--seed", "1", text]) == 0
    result = json.loads(capsys.readouterr().out)
    # ten tasks of four hours: A and B take two each in their eight hours, C takes six in 24
    assert result["solution"]["objective"] == 24
    assert result["device"] == "sim:"
    assert any("upper end" in sentence for sentence in result["assumptions"])


def test_both_devices_give_the_same_answer(capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for device in ("sim:?engines=graph", "golden:?engines=graph"):
        arguments = ["--device", device, "--reads", "8", "--sweeps", "8", "--seed", "3", "--json"]
        assert cli.run(["solve", TWO_TASKS, *arguments]) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["device"] == device
        answers.append({**result, "device": None, "timings": None})
    assert answers[0] == answers[1]


def test_a_waveform_is_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out.fst"
    # a tiny build: this is about the option, and a large one takes a minute to make
    device = "sim:?engines=graph&lanes=2&rows=16&words=64&schedule_steps=16&payload_words=16"
    arguments = ["--device", device, "--reads", "2", "--sweeps", "4", "--waves", str(path)]
    assert cli.run(["solve", TWO_TASKS, *arguments]) == 0
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("device", ["golden:", "fast:", "fast:?threads=2", "sim:?engines=graph"])
def test_an_interrupt_is_one_line_and_leaves_a_working_device(
    device: str, capsys: pytest.CaptureFixture[str]
) -> None:
    long = ["--device", device, "--reads", "1000000", "--sweeps", "1000"]
    timer = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        assert cli.run(["solve", TWO_TASKS, *long]) == cli.INTERRUPTED
    finally:
        timer.cancel()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "interrupted" in err
    assert cli.run(["solve", TWO_TASKS, "--device", device, "--reads", "4", "--sweeps", "4"]) == 0


def test_a_missing_compiler_is_said_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GIBBSITE_CACHE", str(tmp_path / "cache"))
    assert cli.run(["solve", TWO_TASKS, "--device", "sim:"]) == cli.NO_DEVICE
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "g++" in err
    assert "apt" in err


def test_a_cache_that_cannot_be_made_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("GIBBSITE_CACHE", str(blocked))
    assert cli.run(["solve", TWO_TASKS, "--device", "sim:"]) == cli.NO_DEVICE
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert str(blocked) in err
