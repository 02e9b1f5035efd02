"""Trained files and checkpoints: whole or refused, and written in one move."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gibbsite_hw.spec.errors import GibbsiteError, ProgramError
from gibbsite_models.energies.potential import Potential
from gibbsite_models.generative import (
    Plan,
    Trained,
    generator,
    load_trained,
    save_trained,
    untrained,
)
from gibbsite_models.training_store import CHECKPOINT, TRAINED, Stored, load, save

PLAN = Plan(classes=(1, 4), bits=1, steps=20, seed=9)


def some() -> Stored:
    random = np.random.default_rng(4)
    arrays = {"x": random.normal(size=(2, 3)), "k": np.array([-5, 2**40])}
    return Stored({"seed": 3, "note": "żółw"}, arrays)


def a_machine() -> Trained:
    random = np.random.default_rng(8)
    n = 3 + PLAN.selector.size
    J = np.triu(random.normal(size=(n, n)) / 10, 1)
    v = Potential.build(n, J2=random.uniform(1, 2, n), J4=0.1, b=random.normal(size=n), J=J + J.T)
    plain = Potential.build(n, J2=1.0)
    return Trained(PLAN, v, plain, random.normal(size=3), np.array([4, 1]), {"figures": {"a": 0.1}})


def test_what_is_saved_is_loaded_to_the_bit(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    save(file, TRAINED, some())
    found = load(file, TRAINED)
    assert found.metadata == some().metadata
    for name, array in some().arrays.items():
        assert np.array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_machine_comes_back_as_it_was(tmp_path: Path) -> None:
    file, machine = tmp_path / "machine.json", a_machine()
    save_trained(file, machine, "a command")
    found = load_trained(file)
    assert found.plan == PLAN
    assert found.metadata["command"] == "a command"
    assert set(found.metadata["versions"]) == {"python", "numpy"}
    for name in ("J2", "J4", "b", "J"):
        assert np.array_equal(getattr(found.potential, name), getattr(machine.potential, name))
        assert np.array_equal(getattr(found.untrained, name), getattr(machine.untrained, name))
    assert np.array_equal(found.class_of_code, [4, 1])
    made = generator(found)
    assert made.protocol.steps == 20
    assert made.protocol.segments[-1].kT == 0
    assert np.array_equal(generator(untrained(found)).potential.J, machine.untrained.J)


def test_pixels_and_grey_levels_are_inverse() -> None:
    made = generator(a_machine())
    images = np.array([[0.0, 16.0, 5.5]])
    assert made.decode(made.encode(images)) == pytest.approx(images)
    assert made.decode(made.encode(images + 1)).max() == 16
    assert made.decode(made.encode(images + 1), clip=False).max() == pytest.approx(17)


def test_every_damaged_character_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    save(file, TRAINED, some())
    text = file.read_text()
    unseen = 0
    places = [i for i, c in enumerate(text) if c.isalnum()]
    for place in places[:: max(1, len(places) // 60)]:
        other = "0" if text[place] != "0" else "1"
        file.write_text(text[:place] + other + text[place + 1 :])
        try:
            load(file, TRAINED)
        except ProgramError:
            continue
        unseen += 1
    assert unseen == 0


def rewritten(file: Path, **changes: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_other_files_are_refused_in_sentences(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    with pytest.raises(ProgramError, match=r"cannot be read \(No such file or directory\)"):
        load(file, TRAINED)
    save(file, TRAINED, some())
    text = file.read_text()
    with pytest.raises(ProgramError, match="must be of format 'gibbsite-training'"):
        load(file, CHECKPOINT)
    rewritten(file, version=2)
    with pytest.raises(ProgramError, match="has version 2 and this program reads 1; train it"):
        load(file, TRAINED)
    file.write_text(text)
    rewritten(file, metadata={"seed": 4})
    with pytest.raises(ProgramError, match="is damaged: its content does not have its checksum"):
        load(file, TRAINED)
    for cut in (0, 1, len(text) // 2, len(text) - 3):
        file.write_text(text[:cut])
        with pytest.raises(ProgramError, match="perhaps cut short"):
            load(file, TRAINED)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProgramError, match="is no whole JSON file"):
        load(file, TRAINED)
    file.write_text("[1]")
    with pytest.raises(ProgramError, match="and is 'list'"):
        load(file, TRAINED)


def test_numbers_that_are_not_finite_are_not_stored(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    save(file, TRAINED, some())
    with pytest.raises(ProgramError, match="array bad to be stored must hold finite numbers"):
        save(file, TRAINED, Stored({}, {"bad": np.array([1.0, np.inf])}))
    # the file that stood there is as it was, and nothing lies beside it
    assert np.array_equal(load(file, TRAINED).arrays["k"], some().arrays["k"])
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize(
    "value", ["NaN", "-Infinity", "1e999", "[" * 100_000, "[" * 900 + "]" * 900]
)
def test_metadata_of_no_number_and_deep_nesting_are_refused(tmp_path: Path, value: str) -> None:
    file = tmp_path / "x.json"
    save(file, TRAINED, some())
    file.write_text(file.read_text().replace('"seed": 3', f'"seed": {value}'))
    with pytest.raises(ProgramError, match=r"x\.json is (no whole JSON|damaged)"):
        load(file, TRAINED)


@pytest.mark.parametrize(
    "changes",
    [
        {"arrays": [1]},
        {"arrays": {"x": 1}},
        {"arrays": {"x": {"dtype": "<f8"}}},
        {"arrays": {"x": {"dtype": "<f8", "shape": [3], "data": "AAAA"}}},
        {"metadata": 5},
    ],
)
def test_other_content_under_a_right_checksum_is_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    file = tmp_path / "x.json"
    save(file, TRAINED, some())
    body = json.loads(file.read_text()) | changes
    del body["sha256"]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    file.write_text(json.dumps(body | {"sha256": hashlib.sha256(text.encode()).hexdigest()}))
    with pytest.raises(ProgramError, match="content is no metadata and arrays"):
        load(file, TRAINED)


def test_a_file_without_a_machine_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    save(file, TRAINED, some())
    with pytest.raises(ProgramError, match=r"holds no trained machine \(KeyError: 'plan'\)"):
        load_trained(file)


def test_metadata_that_is_no_json_is_not_stored(tmp_path: Path) -> None:
    for value in (float("nan"), object()):
        with pytest.raises(ProgramError, match="must be JSON with finite numbers and is not"):
            save(tmp_path / "x.json", TRAINED, Stored({"a": value}, {}))
    assert list(tmp_path.iterdir()) == []


WRITER = """
import os, resource, signal, sys
from pathlib import Path
import numpy as np
from gibbsite_hw.spec.errors import GibbsiteError
from gibbsite_models.training_store import TRAINED, Stored, save
how, file = sys.argv[1], Path(sys.argv[2])
if how == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
else:
    os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
try:
    save(file, TRAINED, Stored({}, {"x": np.zeros(10_000)}))
except GibbsiteError as error:
    sys.exit(str(error))
"""


def writing(how: str, file: Path) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-c", WRITER, how, str(file)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)


def test_a_full_disk_is_a_sentence_and_keeps_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    save(file, TRAINED, some())
    done = writing("full", file)
    assert done.returncode == 1
    assert f"{file} cannot be written (File too large" in done.stderr
    assert load(file, TRAINED).metadata == some().metadata
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_who_is_killed_leaves_one_part_that_the_next_writing_replaces(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    save(file, TRAINED, some())
    for _ in range(2):
        assert writing("killed", file).returncode == -signal.SIGKILL
        assert sorted(p.name for p in tmp_path.iterdir()) == ["x.json", "x.json.part"]
        assert load(file, TRAINED).metadata == some().metadata
    save(file, TRAINED, some())
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_the_folder_is_synced_after_the_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, synced, sync = tmp_path / "x.json", [], os.fsync

    def noted(handle: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), file.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    save(file, TRAINED, some())
    assert synced == [(False, False), (True, True)]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(GibbsiteError, match=r"x\.json cannot be written \(No such file"):
        save(tmp_path / "none" / "x.json", TRAINED, some())
