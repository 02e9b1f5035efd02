"""The parts of the co-simulation that judge: they must be able to say no."""

from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from gibbsite_hw.spec.packets import Opcode
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.cosim.build import SMALL
from gibbsite_sim.cosim.clocked import read
from gibbsite_sim.cosim.coverage import Coverage
from gibbsite_sim.cosim.lines import LineCoverage
from gibbsite_sim.cosim.predictor import Predictor
from gibbsite_sim.cosim.programs import Shape, loading, random_case
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import PacketSeen, Stalls


def signal(bits: str) -> SimpleNamespace:
    inner = SimpleNamespace(get_signal_val_binstr=lambda: bits)
    return SimpleNamespace(_handle=inner, _path="top.wire")


def test_known_bits_are_a_number() -> None:
    assert read(signal("0101")) == 5


@pytest.mark.parametrize("bits", ["X", "01X0", "Z", "U1", "W", "-"])
def test_an_unknown_bit_is_never_a_number(bits: str) -> None:
    with pytest.raises(AssertionError, match=r"top\.wire is .*neither 0 nor 1"):
        read(signal(bits))


def test_a_scoreboard_that_saw_nothing_fails() -> None:
    with pytest.raises(AssertionError, match="saw 0 items"):
        Scoreboard[int]("board").finish()


def test_a_scoreboard_misses_what_did_not_come() -> None:
    board: Scoreboard[int] = Scoreboard("board")
    board.expect(3)
    board.expect(4)
    board.saw(3)
    with pytest.raises(AssertionError, match="1 items never came, the first is 4"):
        board.finish()


@pytest.mark.parametrize(("first", "reason"), [(5, "the model says 3"), (None, "nothing was exp")])
def test_a_scoreboard_sees_a_difference(first: int | None, reason: str) -> None:
    board: Scoreboard[int] = Scoreboard("board")
    if first is not None:
        board.expect(3)
    with pytest.raises(AssertionError, match=reason):
        board.saw(5)


@pytest.mark.parametrize("seed", range(20))
def test_random_cases_are_accepted(seed: int) -> None:
    rng = Random(seed)
    shape = Shape(rows=seed + 1, groups=(1, 5)[: seed % 3], density=0.5)
    device = GoldenStream(SMALL)
    for packet in loading(SMALL, random_case(SMALL, rng, shape), rng):
        device.send(packet.words())
        assert device.receive()[0] >> 24 == 0x80, packet


def seen(words: list[int], at: int) -> PacketSeen:
    return PacketSeen(words, at, at, False)


def predictor() -> Predictor:
    return Predictor(GraphParameters(), lambda event: None, lambda kind: None)


def test_the_predictor_wants_the_right_answer() -> None:
    judge = predictor()
    judge.command(seen([Opcode.RUN << 24], 1))
    with pytest.raises(AssertionError, match="is answered 80000000"):
        judge.response(seen([0x80 << 24], 2))


def test_the_predictor_refuses_answers_and_draws_that_nobody_asked_for() -> None:
    for words, reason in (([0x80 << 24], "without a command"), ([0x83 << 24], "without a run")):
        with pytest.raises(AssertionError, match=reason):
            predictor().response(seen(words, 1))


def test_the_predictor_that_saw_nothing_fails() -> None:
    with pytest.raises(AssertionError, match="no answer at all"):
        predictor().finish()


def test_functional_coverage_starts_with_every_bin_missing() -> None:
    coverage = Coverage(SMALL)
    assert len(coverage.missing()) == len(coverage.hits) > 200
    with pytest.raises(KeyError):
        coverage.hit("no such bin")


def test_stalls_come_in_the_wanted_part() -> None:
    never, often = Stalls(), Stalls(0.5, 1, 3)
    assert not any(never.hold() for _ in range(100))
    # 1,000 draws of chance 1/2 (each run is one cycle): 6 standard deviations are 95
    assert abs(sum(often.hold() for _ in range(1000)) - 500) < 95


def test_line_coverage_counts_points_and_lines(tmp_path: Path) -> None:
    data = tmp_path / "coverage.dat"
    records = [("line", "block", "1-2,4", 3), ("branch", "if", "2", 0), ("branch", "else", "2", 1)]
    text = "# SystemC::Coverage-3\n"
    for kind, what, lines, hits in records:
        fields = {"f": "a.v", "l": "1", "t": kind, "o": what, "S": lines, "h": "top"}
        body = "".join(f"\x01{name}\x02{value}" for name, value in fields.items())
        text += f"C '{body}' {hits}\n"
    data.write_text(text, encoding="utf-8")
    coverage = LineCoverage(data, "one\ntwo\nthree\nfour\n")
    assert coverage.part("line") == 1
    assert coverage.part("branch") == 0.5
    assert coverage.lines() == {("top", 1): True, ("top", 2): False, ("top", 4): True}
    assert coverage.uncovered() == [("top", "branch if", "two")]


def test_line_coverage_of_nothing_is_an_error(tmp_path: Path) -> None:
    data = tmp_path / "coverage.dat"
    data.write_text("# SystemC::Coverage-3\n", encoding="utf-8")
    with pytest.raises(ValueError, match="counts nothing"):
        LineCoverage(data, "module")
