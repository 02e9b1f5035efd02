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
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from gibbsite.devices import open as open_device
from gibbsite_hw.spec.program import RunResult
from gibbsite_sim.line_faults import FaultRates
from gibbsite_sim.serial_board import BoardCore, GoldenCore, PinsCore
from link_trials import BUILD, Row, Trial, judged

__all__ = ["SCENARIOS", "campaign", "table"]

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "docs" / "link-faults.json"
PAGE = ROOT / "docs" / "framed-link.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"

Scenario = Callable[[Trial, Row], None]


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
