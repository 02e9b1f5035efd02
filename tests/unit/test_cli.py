"""The command line where no HDL tool is needed: refusals, documents, and answers from `golden:`.

These tests also run on the built wheel alone.
"""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gibbsite import cli

TWO_TASKS = "Schedule 2 tasks on 2 machines. Each task takes 2 hours. Finish everything soonest."
GOLDEN = ("--device", "golden:", "--reads", "8", "--sweeps", "8", "--seed", "1")


def document(**changes: object) -> dict[str, object]:
    """A schedule of one task and one machine, with fields replaced."""
    return {
        "kind": "schedule",
        "unit": "hour",
        "tasks": [{"id": "1", "duration": 2}],
        "machines": [{"id": "1"}],
        "objective": "makespan",
        **changes,
    }


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]):
    """Run a command that must be refused: its code, stdout, and its one line on stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(list(arguments))
        out, err = capsys.readouterr()
        assert err.startswith("gibbsite: ")
        assert err.count("\n") == 1, f"one clear sentence, not {err!r}"
        assert "Traceback" not in err
        return code, out, err

    return run


@pytest.mark.parametrize("text", ["", "   \n", "Wie spät ist es in Berlin?", "Guten Tag"])
def test_what_cannot_be_understood_is_refused_with_its_document(refused, text: str) -> None:
    for command in (["formalize"], ["solve", "--json"]):
        code, out, _ = refused(*command, "--", text)
        assert code == cli.BAD_INPUT
        assert json.loads(out) == {"kind": "error", "reason": "not_understood"}


def test_a_precedence_cycle_is_refused_as_a_contradiction(refused) -> None:
    text = "Schedule tasks A and B, 2 hours each, on one machine. A after B. B after A."
    code, out, _ = refused("solve", text)
    assert code == cli.BAD_INPUT
    assert json.loads(out) == {"kind": "error", "reason": "contradiction"}


def test_a_missing_document_is_named(refused, tmp_path: Path) -> None:
    path = tmp_path / "absent.json"
    code, _, err = refused("solve", str(path))
    assert code == cli.BAD_INPUT
    assert str(path) in err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"kind": "schedule", ', "not_understood"),
        (b"[1, 2]", "not_understood"),
        (b'{"kind": "puzzle"}', "not_understood"),
        (b"", "not_understood"),
    ],
)
def test_a_malformed_document_is_refused(
    refused, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "problem.json"
    path.write_bytes(content)
    code, out, _ = refused("solve", str(path))
    assert code == cli.BAD_INPUT
    assert json.loads(out) == {"kind": "error", "reason": reason}


def test_a_document_in_another_encoding_is_refused(refused, tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_bytes(json.dumps(document()).encode("utf-16"))
    code, _, err = refused("solve", str(path))
    assert code == cli.BAD_INPUT
    assert "UTF-8" in err


@pytest.mark.parametrize("device", ["quantum:", "golden", "", "sim2:", "golden:?lanes=7"])
def test_an_unknown_device_is_refused(refused, device: str) -> None:
    code, _, err = refused("solve", "--device", device, TWO_TASKS)
    assert code == cli.NO_DEVICE
    assert len(err) > 30


@pytest.mark.parametrize(
    ("option", "value"),
    [("--reads", "-1"), ("--reads", "0"), ("--sweeps", "-5"), ("--seed", "-1")],
)
def test_a_number_out_of_range_is_refused(refused, option: str, value: str) -> None:
    code, _, err = refused("solve", f"{option}={value}", TWO_TASKS)
    assert code == cli.BAD_INPUT
    assert option.strip("-") in err
    assert value in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["solve", TWO_TASKS, "--reads", "many"],
        ["solve", TWO_TASKS, "--vote", "loudest"],
        ["solve", TWO_TASKS, "--loud"],
        ["solve"],
        ["dance"],
    ],
)
def test_a_wrong_usage_is_one_sentence(refused, arguments: list[str]) -> None:
    code, _, _ = refused(*arguments)
    assert code == cli.BAD_INPUT


def test_a_wrong_value_is_named_with_the_next_step(refused) -> None:
    for option, value in (("--reads", "many"), ("--vote", "loudest")):
        _, _, err = refused("solve", TWO_TASKS, option, value)
        assert repr(value) in err
        assert err.rstrip().endswith("see `gibbsite solve --help`")


@pytest.mark.parametrize(
    ("command", "option", "value", "wanted"),
    [
        ("solve", "--reads", "many", "whole number"),
        ("solve", "--seed", "1.5", "whole number"),
        ("certify", "--beta", "cold", "number"),
        ("certify", "--burn-in", "2.5", "whole number"),
        ("bench", "--seeds", "x", "whole number"),
        ("bench", "--seconds", "1h", "number"),
        ("energy", "--clock", "12MHz", "number"),
    ],
)
def test_what_is_no_number_is_shown_beside_what_was_wanted(
    refused, command: str, option: str, value: str, wanted: str
) -> None:
    code, _, err = refused(command, "what", option, value)
    assert code == cli.BAD_INPUT
    assert err == (
        f"gibbsite: Invalid value for '{option}': found '{value}', which is no {wanted}; "
        f"see `gibbsite {command} --help`\n"
    )


def test_a_number_of_thousands_of_digits_is_shown_in_short(refused) -> None:
    _, _, err = refused("solve", TWO_TASKS, "--seed", "9" * 5000)
    assert "found '99999" in err
    assert len(err) < 250


def test_an_option_without_its_value_names_the_help_of_its_command(refused) -> None:
    _, _, err = refused("certify", "model.json", "--beta")
    assert err.rstrip() == (
        "gibbsite: Option '--beta' requires an argument; see `gibbsite certify --help`"
    )


def test_a_file_of_text_is_not_taken_for_a_request(refused, tmp_path: Path) -> None:
    path = tmp_path / "request.txt"
    path.write_text(TWO_TASKS, encoding="utf-8")
    code, out, err = refused("solve", str(path))
    assert (code, out) == (cli.BAD_INPUT, "")
    assert f"solve - < {path}" in err


def test_a_waveform_needs_the_simulation_and_its_format(refused, tmp_path: Path) -> None:
    path = tmp_path / "out.vcd"
    code, _, err = refused("solve", TWO_TASKS, "--waves", str(path))
    assert code == cli.BAD_INPUT
    assert ".fst" in err
    path = tmp_path / "out.fst"
    code, _, err = refused("solve", TWO_TASKS, "--device", "golden:", "--waves", str(path))
    assert code == cli.NO_DEVICE
    assert "use sim:" in err


def test_without_arguments_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: gibbsite")
    assert err == ""


@pytest.mark.parametrize(
    "arguments",
    [["solve", TWO_TASKS, *GOLDEN], ["solve", TWO_TASKS, *GOLDEN, "--json"], ["solve", ""]],
)
def test_a_full_disk_behind_stdout_is_one_sentence(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "gibbsite", *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == cli.BAD_INPUT
    assert done.stderr.count("\n") == 1, done.stderr
    assert "stdout: No space left on device" in done.stderr


@pytest.mark.parametrize("option", ["--plot", "--waves"])
def test_an_unwritable_output_is_refused_before_the_work(
    refused, tmp_path: Path, option: str
) -> None:
    # the text is wrong, too: that the path is named shows that it was looked at first
    folder = tmp_path / "folder.png"
    folder.mkdir()
    for path in (tmp_path / "absent" / "out.png", folder):
        code, _, err = refused("solve", option, str(path), "")
        assert code == cli.BAD_INPUT
        assert f"{option} {path} cannot be written" in err


def test_an_unknown_picture_format_is_refused_before_the_work(refused, tmp_path: Path) -> None:
    for name in ("plan", "plan.txt"):
        code, _, err = refused("solve", "--plot", str(tmp_path / name), "")
        assert code == cli.BAD_INPUT
        assert "png" in err


def test_a_good_output_path_leaves_nothing_when_the_request_is_refused(
    refused, tmp_path: Path
) -> None:
    path = tmp_path / "out.png"
    refused("solve", "--plot", str(path), "")
    assert not path.exists()
    path.write_bytes(b"mine")
    refused("solve", "--plot", str(path), "")
    assert path.read_bytes() == b"mine"


def test_formalize_prints_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["formalize", TWO_TASKS]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out)["kind"] == "schedule"
    assert len(json.loads(out)["tasks"]) == 2


def test_formalize_tells_what_it_assumed_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["formalize", "Task A takes 2 hours, task B takes 3 hours."]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["machines"] == [{"id": "1"}]
    assert err.startswith("assumed: ")
    assert "one machine '1'" in err


def test_a_proven_refusal_says_that_no_answer_exists(capsys: pytest.CaptureFixture[str]) -> None:
    text = "Task A takes 5 hours, task B takes 5 hours. Machine M works 0-8h. Finish soonest."
    assert cli.run(["solve", "--device", "golden:", "--seed", "1", text]) == cli.NO_ANSWER
    out, _ = capsys.readouterr()
    assert "no feasible answer exists" in out
    assert "proof: No feasible schedule exists." in out


def test_a_request_is_read_from_stdin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in (TWO_TASKS.encode(), json.dumps(document()).encode()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert cli.run(["formalize", "-"]) == 0
        assert json.loads(capsys.readouterr().out)["kind"] == "schedule"


def test_an_answer_as_json_is_all_of_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["solve", TWO_TASKS, *GOLDEN, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == "", "no terminal, no bars"
    result = json.loads(out)
    assert result["feasible"] is True
    assert result["violations"] == []
    assert result["solution"]["objective"] == 2
    assert result["seed"] == 1
    assert result["llm_tokens"] is None, "what does not apply is null"


def test_the_default_device_gives_goldens_answer(capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for device in ([], ["--device", "golden:"]):
        assert cli.run(["solve", TWO_TASKS, *device, *GOLDEN[2:], "--json"]) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["device"] == (device[1] if device else "fast:")
        answers.append({**result, "device": None, "timings": None})
    assert answers[0] == answers[1]


def test_a_drawn_seed_is_reported_as_a_number_that_every_reader_of_json_keeps(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seeds = set()
    for _ in range(3):
        assert cli.run(["solve", TWO_TASKS, *GOLDEN[:-2], "--json"]) == 0
        seeds.add(json.loads(capsys.readouterr().out)["seed"])
    assert len(seeds) == 3
    assert all(0 <= seed < 2**53 and int(float(seed)) == seed for seed in seeds)


def test_the_same_seed_gives_the_same_answer(capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for _ in range(2):
        assert cli.run(["solve", TWO_TASKS, *GOLDEN, "--json"]) == 0
        result = json.loads(capsys.readouterr().out)
        del result["timings"]  # the only thing that a clock decides
        answers.append(result)
    assert answers[0] == answers[1]


def test_an_answer_in_words_and_its_plot(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "plan.png"
    assert cli.run(["solve", TWO_TASKS, *GOLDEN, "--plot", str(path)]) == 0
    out, _ = capsys.readouterr()
    assert "makespan" in out
    assert path.read_bytes().startswith(b"\x89PNG")


def test_names_and_numbers_are_shown_as_they_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """No markup of the terminal's, no formula of the picture's, no rounding to six digits."""
    path = tmp_path / "problem.json"
    names = ["[/red]", "[bold]cut", ":smile:", "$x^{$"]
    tasks = [{"id": name, "duration": 1234567} for name in names]
    path.write_text(json.dumps(document(tasks=tasks, machines=[{"id": "M$^{$"}])), encoding="utf-8")
    assert cli.run(["solve", str(path), *GOLDEN, "--plot", str(tmp_path / "plan.png")]) == 0
    out, _ = capsys.readouterr()
    assert "makespan 4938268 hours" in out
    for name in names:
        assert f"M$^{{$    {name}" in out


def test_what_has_no_feasible_answer_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "problem.json"
    full = document(
        tasks=[{"id": "1", "duration": 2}, {"id": "2", "duration": 2}],
        machines=[{"id": "1", "windows": [[0, 3]]}],
    )
    path.write_text(json.dumps(full), encoding="utf-8")
    assert cli.run(["solve", str(path), *GOLDEN, "--json"]) == cli.NO_ANSWER
    result = json.loads(capsys.readouterr().out)
    assert result["feasible"] is False
    assert result["violations"]


def test_devices_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices"]) == 0
    out, _ = capsys.readouterr()
    assert "golden:" in out
    assert "sim:" in out


def test_the_module_is_the_command_and_help_is_light() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gibbsite", "solve", "--help"],
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert "--device" in done.stdout
    loaded = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"numpy", "dimod", "matplotlib", "networkx"}


def test_import_gibbsite_is_light_and_complete() -> None:
    program = (
        "import sys, gibbsite; heavy = {'numpy', 'dimod', 'amaranth'} & set(sys.modules);"
        "assert not heavy, heavy;"
        "missing = [name for name in gibbsite.__all__ if not hasattr(gibbsite, name)];"
        "assert not missing, missing"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ})
