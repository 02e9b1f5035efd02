"""`gibbsite certify`: verdicts and exit codes, files of other programs, refusals, the picture."""

import json
from pathlib import Path

import dimod
import numpy as np
import pytest
from dimod.serialization import coo
from matplotlib.figure import Figure

from gibbsite import cli
from gibbsite.certificate_plot import draw
from gibbsite.certify_command import CertifyError, certify_device
from gibbsite.certifying import shown_names
from gibbsite.model_files import FileError, read_draws, read_model
from gibbsite_models.exact.transfer_matrix import TransferMatrix
from gibbsite_models.pair_model import PairModel

DEVICE = ("--device", "golden:?like=small", "--seed", "3")
QUICK = ("--reads", "4800", "--burn-in", "40", "--thin", "4")


def ring() -> dimod.BinaryQuadraticModel:
    """Ten spins with fields, whose labels do not sort as they were added."""
    model = dimod.BinaryQuadraticModel("SPIN")
    for k in range(10):
        model.add_linear(f"s{9 - k}", 0.3 * (-1) ** k)
    for k in range(10):
        model.add_quadratic(f"s{k}", f"s{(k + 1) % 10}", -0.8 if k % 3 else 0.5)
    return model


def pairs(model: dimod.BinaryQuadraticModel) -> PairModel:
    order = list(model.variables)
    low, high, weight = zip(
        *((*sorted((order.index(u), order.index(v))), w) for (u, v), w in model.quadratic.items()),
        strict=True,
    )
    linear = np.array([model.get_linear(v) for v in order])
    return PairModel.of_spins(linear, np.array(low), np.array(high), np.array(weight))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ring.json"
    path.write_text(json.dumps(ring().to_serializable()))
    return path


@pytest.fixture
def exact_draws(tmp_path: Path) -> Path:
    """Draws that are exactly of the law at beta 0.9, sixteen chains, and starts at beta = 0."""
    states = TransferMatrix(pairs(ring()), 0.9).draw(16 * 400, seed=1).reshape(16, 400, 10)
    path = tmp_path / "draws.npz"
    starts = np.random.default_rng(2).choice([-1, 1], size=(16, 10))
    np.savez(path, states=states, starts=starts, variables=list(ring().variables))
    return path


def test_a_device_is_certified_with_table_json_and_picture(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "certificate.png"
    command = ["certify", str(file), "--beta", "0.9", *DEVICE, *QUICK]
    assert cli.run([*command, "--plot", str(picture)]) == 0
    shown = capsys.readouterr().out
    assert "verdict: certified" in shown
    for words in ("effective beta", "split R-hat", "total variation", "dispersion of starts"):
        assert words in shown
    assert any(f"  s{k}, worst of 10" in shown for k in range(10)), "a variable by its label"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert cli.run([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert document["certificate"]["verdict"] == "certified"
    assert document["seed"] == 3
    assert document["certificate"]["total_variation"]["states"] == 1024


@pytest.mark.parametrize("draws", [1, 7, 400])
def test_chains_that_disagree_keep_apart_in_the_picture(
    draws: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are means over blocks of draws; noise of single draws would hide a shift of 2."""
    found = certify_device(ring(), 0.9, "golden:?like=small", reads=160, chains=16, seed=1)
    energies = np.random.default_rng(1).normal(0, 3, (16, draws))
    energies[4] += 20.0
    kept: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: kept.append(figure))
    draw(found.document, energies, tmp_path / "shift.png")
    panel = kept[0].axes[4]
    lines = [np.asarray(line.get_ydata()) for line in panel.lines[:-1]]
    assert len(lines) == 4
    size = max(1, draws // 40)
    assert all(len(line) == draws // size for line in lines)
    # block means of normal noise: 5 sigma
    assert abs(lines[1].mean() - 20) < 5 * 3 / np.sqrt(size * len(lines[1]))
    assert ("means of 10 draws" in panel.get_title()) == (draws == 400)
    draw(found.document, np.zeros((16, draws)), tmp_path / "none.png")


@pytest.mark.parametrize(
    ("reads", "header", "left_out"),
    [
        (13, "12 chains of 1 draw at beta 0.9", ["not drawn: 1 of 13 reads"]),
        (24, "12 chains of 2 draws at beta 0.9", []),
    ],
)
def test_reads_that_no_chain_draws_are_told(
    reads: int, header: str, left_out: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certify", str(file), "--beta", "0.9", *DEVICE, "--reads", str(reads)]
    cli.run([*command, "--chains", "12", "--burn-in", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(f"seed 3: {header}")
    assert [line.split(",")[0] for line in lines if line.startswith("not drawn")] == left_out


def test_labels_that_print_alike_are_told_apart() -> None:
    assert shown_names(["a", ("b", 1), 2]) == ["a", "('b', 1)", "2"]
    assert shown_names([1, "1"]) == ["1", "'1'"]
    assert shown_names(["energy", "a"]) == ["'energy'", "'a'"]


def test_draws_made_elsewhere_and_exit_codes(
    file: Path, exact_draws: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certify", str(file), "--samples", str(exact_draws), "--beta"]
    assert cli.run([*command, "0.9"]) == 0
    assert "as told in draws.npz" in capsys.readouterr().out
    assert cli.run([*command, "1.0"]) == 3
    assert "verdict: biased" in capsys.readouterr().out
    with np.load(exact_draws) as arrays:
        states = arrays["states"]
    np.savez(tmp_path / "alone.npz", states=states, variables=list(ring().variables))
    command[3] = str(tmp_path / "alone.npz")
    picture = tmp_path / "unknown.svg"
    assert cli.run([*command, "0.9", "--plot", str(picture)]) == 5
    assert "where the chains started is not known" in capsys.readouterr().out
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--device", "fast:"),
        ("--chains", "8"),
        ("--reads", "64"),
        ("--burn-in", "10"),
        ("--thin", "2"),
        ("--seed", "0"),
    ],
)
def test_what_steers_a_device_is_refused_beside_draws_made_elsewhere(
    file: Path, exact_draws: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certify", str(file), "--beta", "0.9", "--samples", str(exact_draws)]
    assert cli.run([*command, option, value]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    sentence = (
        f"gibbsite: {option} {value} would steer a device, and --samples {exact_draws} brings draws"
        " that are made already: leave out one or the other\n"
    )
    assert (out, err) == ("", sentence)


def test_all_options_that_do_not_apply_are_named_at_once(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certify", str(file), "--beta", "0.9", "--samples", "none.npz"]
    assert cli.run([*command, "--thin", "2", "--device", "sim:"]) == cli.BAD_INPUT
    assert "--device sim:, --thin 2 would steer a device" in capsys.readouterr().err


def test_a_sample_set_of_dimod_is_read_by_its_labels(file: Path, tmp_path: Path) -> None:
    model = ring()
    states = TransferMatrix(pairs(model), 0.9).draw(60, seed=1)
    chain = np.tile(np.arange(3), 20)  # interleaved, and one draw of chain 2 is missing
    labels = list(model.variables)
    found = dimod.SampleSet.from_samples(
        (states[:59, ::-1], labels[::-1]),
        "SPIN",
        energy=model.energies((states[:59], labels)),
        chain=chain[:59],
        draw=np.arange(59) // 3,
    )
    path = tmp_path / "samples.json"
    path.write_text(json.dumps(found.to_serializable()))
    kept = read_model(file)
    read = read_draws(path, kept).states[..., [list(kept.variables).index(k) for k in labels]]
    assert read.shape == (3, 19, 10)
    assert (read == states.reshape(20, 3, 10).transpose(1, 0, 2)[:, :19]).all()


def test_every_form_of_model_is_read(tmp_path: Path) -> None:
    model = ring()
    numbered, _ = model.relabel_variables_as_integers(inplace=False)
    path = tmp_path / "ring.coo"
    path.write_text(coo.dumps(numbered, vartype_header=True))
    assert read_model(path) == numbered
    graph = tmp_path / "graph.txt"
    graph.write_text("3 2\n1 2 1\n2 3 -1\n")
    assert read_model(graph).quadratic == {(1, 0): 1, (2, 1): -1}
    graph.write_text("3 2\n0 1 1\n1 2 -1\n")
    assert read_model(graph).quadratic == {(1, 0): -1, (2, 1): 1}


def test_what_cannot_be_used_is_refused_in_one_sentence(
    file: Path, exact_draws: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*arguments: str) -> str:
        assert cli.run(["certify", *arguments]) == cli.BAD_INPUT
        out, err = capsys.readouterr()
        assert not out
        assert err.startswith("gibbsite: ")
        assert err.count("\n") == 1, err
        return err

    good = (str(file), "--beta", "0.9")
    assert "--beta is nan" in refused(str(file), "--beta", "nan")
    assert "cannot be read" in refused(str(tmp_path / "none.json"), "--beta", "1")
    assert "no picture format" in refused(*good, "--plot", "out.xyz")
    assert "--beta is -1.0: give a finite number from 0" in refused(str(good[0]), "--beta", "-1")
    assert "--chains is 32: give a number of 1..5, no more than --reads" in refused(
        *good, "--reads", "5"
    )
    assert "--chains is 0: give a number of 1..12800" in refused(*good, "--chains", "0")
    assert "--reads is 0: give a number of 1..10000000" in refused(*good, "--reads", "0")
    assert "--reads is 99999999999" in refused(*good, "--reads", "99999999999")
    for option in ("--burn-in", "--thin"):
        for value in ("0", "4294967296"):
            sentence = f"{option} is {value}: give a number of 1..4294967295"
            assert sentence in refused(*good, option, value)
    cold = refused(*good[:2], "1e9", *DEVICE, "--reads", "64", "--burn-in", "1")
    assert "1e+09 was asked: ask for " in cold
    assert "at most, or, where you compile the program yourself, give beta_max=1e+09" in cold
    other = tmp_path / "other.json"
    other.write_text("[1, 2]")
    assert "holds no model of dimod" in refused(str(other), "--beta", "1")
    assert "holds no sample set" in refused(*good, "--samples", str(other))
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, draws=np.ones(3))
    assert "holds draws and no states" in refused(*good, "--samples", str(wrong))
    np.savez(wrong, states=np.ones((2, 3, 9), np.int64))
    assert "the model has 10 variables" in refused(*good, "--samples", str(wrong))
    np.savez(wrong, states=np.zeros((2, 3, 10), np.int64))
    assert "the value 0 and the model's are [-1, 1]" in refused(*good, "--samples", str(wrong))
    np.savez(wrong, states=np.ones((2, 0, 10), np.int64))
    assert "holds no draw, 2 chains of 0: give" in refused(*good, "--samples", str(wrong))
    np.savez(wrong, states=np.full((2, 3, 10), np.nan))
    assert "holds nan and states are whole" in refused(*good, "--samples", str(wrong))
    np.savez(wrong, states=np.full((2, 3, 10), None))
    assert "holds an array of Python objects" in refused(*good, "--samples", str(wrong))
    np.savez(wrong, states=np.ones((2, 3, 10), np.int64), variables=["a"] * 10)
    assert "names the variable 'a', which is not in the model" in refused(
        *good, "--samples", str(wrong)
    )
    empty = dimod.SampleSet.from_samples_bqm(np.ones((0, 10), np.int8), ring())
    other.write_text(json.dumps(empty.to_serializable()))
    assert "a sample set without draws" in refused(*good, "--samples", str(other))
    np.savez(wrong, states=np.ones((2, 3, 10)))
    assert "states are whole numbers" in refused(*good, "--samples", str(wrong))
    np.savez(wrong, states=np.ones((2, 3, 10), np.int64), variables=["s0"] * 10)
    assert "names 1 variables for states" in refused(*good, "--samples", str(wrong))
    wrong.write_bytes(b"PK\x03\x04 no archive")
    assert "is no .npz file" in refused(*good, "--samples", str(wrong))
    missing = refused(*good, "--samples", str(tmp_path / "none.npz"))
    assert "none.npz cannot be read: No such file or directory; check its name" in missing
    other.write_text("{")
    assert "is no JSON" in refused(str(other), "--beta", "1")
    assert "is no JSON" in refused(*good, "--samples", str(other))
    text = tmp_path / "text.coo"
    for line in ("0 1 1e-3", "0 1 nan", "hello"):  # dimod passes over these
        text.write_text(f"# a model\n\n0 0 -.5\n{line}\n")
        assert f"line 4 is {line!r}: write `i j bias`" in refused(str(text), "--beta", "1")
    none = tmp_path / "none.txt"
    none.write_text("0 0\n")
    assert "holds a model without variables" in refused(str(none), "--beta", "1")
    with pytest.raises(CertifyError, match=r"--thin is 0: give a number of 1\.\.4294967295"):
        certify_device(ring(), 1.0, "golden:", thin=0)
    path = tmp_path / "empty.json"
    path.write_text(json.dumps(dimod.BinaryQuadraticModel("SPIN").to_serializable()))
    with pytest.raises(FileError, match="without variables"):
        read_model(path)
