"""The campaign of link faults: breaks lines and devices on purpose and counts what comes of it.

    python tools/link_faults.py            # the long one: docs/link-faults.json and the table
    python tools/link_faults.py --short    # the one of the tests, printed only

Every run goes through the unmodified driver of ``uart:`` and is compared with the golden device to
the bit. A run is right, or it is given up with a `DeviceError`; a wrong or a hanging one fails the
campaign. Behind the pseudo-terminal is the whole RTL on two pins, or the golden device.
"""

import argparse
import json
import os
import pickle
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from types import FrameType

import dimod
import numpy as np

from gibbsite.compiler import compile_model
from gibbsite.devices import open as open_device
from gibbsite.driver import Driver
from gibbsite.uart import UartStream
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import RunRequest, RunResult
from gibbsite_sim.line_faults import FaultRates, FaultyLine
from gibbsite_sim.serial_board import BoardCore, GoldenCore, PinsCore, PtyBoard

__all__ = ["BUILD", "SCENARIOS", "Row", "Trial", "campaign", "table"]

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "docs" / "link-faults.json"
PAGE = ROOT / "docs" / "framed-link.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"

GRAPH = GraphParameters(lanes=4, rows=64, words=512)
BUILD = DeviceParameters(GRAPH, None)
QUERY = "engines=graph&lanes=4&rows=64&words=512"
BAUD = 115_200
"""What the driver is told: its time-outs then fit a simulation that is slower than a board."""

LIMIT = 60
"""Seconds after which a run hangs: the driver gives up after three without an answer."""


class Hung(BaseException):
    """A run that neither ended nor was given up."""


@dataclass(slots=True)
class Row:
    """One line of the table."""

    scenario: str
    core: str
    trials: int = 0
    faults: int = 0
    frames: int = 0
    damaged: int = 0
    """Frames that did not arrive whole."""
    forged: int = 0
    """Damaged frames that a receiver would take for good ones."""
    repeated: int = 0
    """DATA frames and requests with which lost ones were got back, both directions."""
    right: int = 0
    given_up: int = 0
    wrong: int = 0
    hung: int = 0
    next_right: int = 0
    """Trials after which a run on the same board, opened anew, was right."""

    @property
    def good(self) -> bool:
        """Nothing wrong, nothing hanging, and every next run works."""
        return not (self.wrong or self.hung or self.forged) and self.next_right == self.trials


class Trial:
    """One board with its faults, the program that runs on it and what golden says of it."""

    def __init__(self, core: BoardCore, seed: int) -> None:
        self.random = Random(seed)
        self.board = PtyBoard(core, FaultyLine(2 * seed), FaultyLine(2 * seed + 1))
        spins = dimod.BinaryQuadraticModel("SPIN")
        for at in range(12):
            spins.add_linear(at, self.random.randint(-5, 5))
            spins.add_quadratic(at, (at + 1) % 12, self.random.randint(-6, 6))
        compiled = compile_model(spins, GRAPH)
        self.program = compiled.program
        # away from beta = 1, and hot enough for noise to decide
        betas = compiled.betas(np.array([0.05, 0.2, 0.4]))
        self.request = RunRequest(
            seed=self.random.getrandbits(64), chains=3, draws=5, betas=betas, thin=2
        )
        self.uri = f"uart:{self.board.path}?baud={BAUD}&{QUERY}"

    def breaks(self, rates: FaultRates) -> None:
        """Break the line from here on."""
        self.board.to_device.rates = self.board.to_host.rates = rates

    def run(self, request: RunRequest | None = None, row: Row | None = None) -> RunResult:
        """Open, load, run and close."""
        with open_device(self.uri) as device:
            try:
                device.load(self.program)
                return device.run(request or self.request)
            finally:
                stream = device._line.stream if isinstance(device, Driver) else None
                if row is not None and isinstance(stream, UartStream):
                    counts = stream.counts
                    row.repeated += counts.repeated + counts.gaps

    def expected(self, request: RunRequest | None = None) -> RunResult:
        """The same on the golden device."""
        with open_device(f"golden:?{QUERY}") as device:
            device.load(self.program)
            return device.run(request or self.request)

    def close(self) -> None:
        """Give the board back."""
        self.board.close()


Scenario = Callable[[Trial, Row], None]


def same(one: RunResult, other: RunResult) -> bool:
    """Whether two results agree in every draw and every count of the device."""
    return (
        list(one.states) == list(other.states)
        and list(one.energies) == list(other.energies)
        and one.counters == other.counters
        and not one.aborted
    )


def judged(row: Row, run: Callable[[], RunResult], expected: RunResult) -> None:
    """Count a run as right, wrong, given up or hanging."""
    try:
        with limit():
            result = run()
    except DeviceError:
        row.given_up += 1
    except Hung:
        row.hung += 1
    else:
        row.right += same(result, expected)
        row.wrong += not same(result, expected)


@contextmanager
def limit() -> Iterator[None]:
    """Raise `Hung` after a minute."""

    def late(_number: int, _frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _bytes(rates: FaultRates) -> Scenario:
    def scenario(trial: Trial, row: Row) -> None:
        trial.breaks(rates)
        judged(row, lambda: trial.run(row=row), trial.expected())
        trial.breaks(FaultRates())

    return scenario


def _bits(flips: int, glitches: int) -> Scenario:
    def scenario(trial: Trial, row: Row) -> None:
        core = trial.board._core
        assert isinstance(core, PinsCore)
        before = core.pins.turned
        core.pins.noise(trial.random.getrandbits(32), flips, glitches)
        judged(row, lambda: trial.run(row=row), trial.expected())
        core.pins.noise(0, 0)
        row.faults += core.pins.turned - before

    return scenario


def _halfway(happen: Callable[[Trial], None]) -> Scenario:
    """Something happens when some draws of a long run have come."""

    def scenario(trial: Trial, row: Row) -> None:
        request = replace(trial.request, draws=4000)
        done = False

        def progress(reads: int, _of: int) -> None:
            nonlocal done
            if reads and not done:
                done = True
                row.faults += 1
                happen(trial)

        def run() -> RunResult:
            with open_device(trial.uri) as device:
                device.load(trial.program)
                return device.run(request, progress)

        judged(row, run, RunResult())

    return scenario


def _killed(trial: Trial, row: Row) -> None:
    """Another process is in the middle of a long run when it is killed."""
    text = (
        "import pickle, sys\n"
        "from gibbsite.devices import open\n"
        "uri, program, request = pickle.load(sys.stdin.buffer)\n"
        "with open(uri) as device:\n"
        "    device.load(program)\n"
        "    device.run(request, lambda done, of: print(done, flush=True))\n"
    )
    request = replace(trial.request, draws=1_000_000)
    with subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(pickle.dumps((trial.uri, trial.program, request)))
        process.stdin.close()
        process.stdout.readline()
        time.sleep(trial.random.random() / 4)
        os.kill(process.pid, signal.SIGKILL)
        row.faults += 1
        row.given_up += process.wait() == -signal.SIGKILL


SCENARIOS: dict[str, Scenario] = {
    "flipped bits, 1 in 1,000 bytes": _bytes(FaultRates(flipped=1e-3)),
    "flipped bits, 1 in 100 bytes": _bytes(FaultRates(flipped=1e-2)),
    "lost bytes, 1 in 200": _bytes(FaultRates(lost=5e-3)),
    "doubled bytes, 1 in 200": _bytes(FaultRates(doubled=5e-3)),
    "bursts of garbage, 1 in 500 bytes": _bytes(FaultRates(bursts=2e-3)),
    "all of them, each 1 in 500 bytes": _bytes(FaultRates(2e-3, 2e-3, 2e-3, 2e-3)),
    "hopeless: flipped bits, 1 in 5 bytes": _bytes(FaultRates(flipped=0.2)),
    "device reset in mid-run": _halfway(lambda trial: trial.board.reset()),
    "port vanished in mid-run": _halfway(lambda trial: trial.board.vanish()),
    "driver killed in mid-run": _killed,
    "on the wire: bits flipped, 1 in 5,000": _bits(200, 0),
    "on the wire: glitches of a cycle, 1 in 500 bits": _bits(0, 2000),
}
"""What is tried; the last two need the pins."""


def campaign(
    core: str, trials: int, seed: int = 1, names: tuple[str, ...] = tuple(SCENARIOS)
) -> list[Row]:
    """So many trials of each scenario on ``pins`` or ``golden``."""
    rows = []
    made: dict[str, Callable[[], BoardCore]] = {
        "pins": lambda: PinsCore(BUILD),
        "golden": lambda: GoldenCore(BUILD),
    }
    for name in names:
        if core == "golden" and name.startswith("on the wire"):
            continue
        row = Row(name, core)
        for number in range(trials):
            trial = Trial(made[core](), seed + number)
            row.trials += 1
            try:
                SCENARIOS[name](trial, row)
                for line in (trial.board.to_device, trial.board.to_host):
                    row.faults += line.injected.total
                    row.frames += line.sent
                    row.damaged += line.sent - line.passed
                    row.forged += line.forged
                row.next_right += _next(trial, made[core], seed + number)
            finally:
                trial.close()
        rows.append(row)
    return rows


def _next(trial: Trial, made: Callable[[], BoardCore], seed: int) -> bool:
    """Whether the next run on the board is right; one that is gone is plugged in again."""
    if trial.board.closed:
        other = Trial(made(), seed)
        try:
            return _next(other, made, seed)
        finally:
            other.close()
    row = Row("", "")
    judged(row, trial.run, trial.expected())
    return bool(row.right)


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "| fault | device | trials | faults injected | frames carried | damaged, all detected | "
        "taken though damaged | repairs | runs right | given up | wrong | hung | next run right |",
        "|" + "---|" * 13,
    ]
    for row in rows:
        cells = list(asdict(row).values())
        if row.scenario.startswith("on the wire"):
            cells[5:7] = ["not counted"] * 2  # the terminal sees bytes, not the wire
        lines.append("| " + " | ".join(f"{c:,}" if isinstance(c, int) else c for c in cells) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run the campaign; the exit status says whether it was good."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="few trials, written nowhere")
    parser.add_argument("--trials", type=int, default=20, help="trials of each scenario and device")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    trials = 2 if given.short else given.trials
    started = time.monotonic()
    rows = [row for core in ("pins", "golden") for row in campaign(core, trials, given.seed)]
    seconds = time.monotonic() - started
    text = table(rows)
    print(text)
    print(f"{seconds:.0f} s")
    if not given.short:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
        ).stdout.strip()
        facts = {
            "command": f"python tools/link_faults.py --trials {trials} --seed {given.seed}",
            "commit": commit,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "seconds": round(seconds),
            "rows": [asdict(row) for row in rows],
        }
        RECORD.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        page = PAGE.read_text(encoding="utf-8")
        head, _, rest = page.partition(BEGIN)
        _, _, tail = rest.partition(END)
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")
    return 0 if all(row.good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
