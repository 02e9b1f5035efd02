"""Trained files and checkpoints: whole or refused, and written in one move."""

import json
from pathlib import Path

import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
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
