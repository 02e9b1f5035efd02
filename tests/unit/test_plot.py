"""The picture of an answer: its energies are seen whether they are equal, near or far apart."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import gibbsite
from gibbsite.agents.scheduling_rounds import _cuts
from gibbsite.plot import draw
from gibbsite.result import EnergyTrace, Result

TEXT = "There are two machines. Task A takes 2 hours, task B takes 1 hour."


@pytest.fixture(scope="module")
def answer() -> Result:
    return gibbsite.solve(TEXT, device="golden:?like=small", reads=8, seed=1, trace=True)


def drawn(result: Result, path: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The figure as it is saved."""
    kept = []
    saved = Figure.savefig

    def keep(figure: Figure, *given: object, **named: object) -> None:
        saved(figure, *given, **named)
        kept.append(figure)

    monkeypatch.setattr(Figure, "savefig", keep)
    draw(result, path)
    return kept[0]


def with_energies(answer: Result, trace: tuple[float, ...] | None, ends: tuple[float, ...]):
    """The same answer with a chain and with reads of these energies."""
    assert answer.certificate is not None
    rounds = (answer.certificate.rounds[0].model_copy(update={"energies": ends}),)
    chain = trace and EnergyTrace(read=0, sweeps=tuple(range(len(trace))), energies=trace)
    update = {"rounds": rounds, "trace": chain}
    return answer.model_copy(update={"certificate": answer.certificate.model_copy(update=update)})


@pytest.mark.parametrize("trace", [(0.0, 0.0, 0.0), None])
def test_equal_energies_stand_beside_one_conflict(answer, trace, tmp_path, monkeypatch) -> None:
    result = with_energies(answer, trace, (0.0, 0.0))
    axes = drawn(result, tmp_path / "flat.png", monkeypatch).axes[1]
    low, high = axes.get_ylim()
    assert low < 0
    assert high > 1
    assert [text.get_text() for text in axes.texts] == ["one conflict more"]


def test_the_lowest_so_far_and_where_reads_ended_are_drawn(answer, tmp_path, monkeypatch) -> None:
    energies = (30.0, 4.0, 5.0, 0.5, 1.25)
    result = with_energies(answer, energies, (1.25, 0.5, 1.25))
    _, chain, beside = drawn(result, tmp_path / "far.png", monkeypatch).axes
    lines = {line.get_label(): list(line.get_ydata()) for line in chain.lines}
    assert lines["energy"] == list(energies)
    assert lines["lowest so far"] == [30.0, 4.0, 4.0, 0.5, 0.5]
    assert chain.get_title(loc="left") == "lowest 0.5, first seen after 3 sweeps"
    assert chain.get_yscale() == "symlog", "30 penalties would flatten the rest"
    heights = chain.transData.transform([(0, y) for y in (0.5, 1.25, 30.0)])[:, 1]
    assert heights[1] - heights[0] > 0.05 * (heights[2] - heights[0])
    (bars,) = beside.collections
    ends = [segment[1].tolist() for segment in bars.get_segments()]
    assert ends == [[1.0, 0.5], [2.0, 1.25]]


def test_near_energies_keep_a_linear_axis(answer, tmp_path, monkeypatch) -> None:
    result = with_energies(answer, (4.0, 2.0, 0.0), (0.0,))
    axes = drawn(result, tmp_path / "near.png", monkeypatch).axes[1]
    assert axes.get_yscale() == "linear"
    assert not axes.texts


@pytest.mark.parametrize("sweeps", [1, 3, 40, 5000])
def test_a_replay_takes_every_early_sweep_and_the_last(sweeps: int) -> None:
    cuts = _cuts(sweeps)
    assert cuts == sorted(set(cuts))
    assert cuts[:9] == list(range(min(sweeps, 8) + 1))
    assert cuts[-1] == sweeps
    assert len(cuts) <= 29
    assert np.diff(cuts).max() <= max(1, 0.5 * sweeps)
