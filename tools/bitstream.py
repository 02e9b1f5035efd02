"""Makes the bitstream of a board: `./tools/nox -s bitstream -- --board NAME [--build NAME]`.

Needs nothing but the packages of the extra `silicon`. The bitstream, the netlists and a JSON report
go to build/BOARD-BUILD/. docs/silicon.md has the figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from gibbsite_hw.boards.table import BOARDS, board, build
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist.bitstream import make_bitstream

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Make one bitstream; 2 on wrong arguments, 1 where it cannot be made."""
    options = _parser().parse_args(arguments)
    try:
        chosen = board(options.board)
        name, parameters = build(chosen, options.build)
        chosen = chosen.at_clock_of(name)
    except DeviceError as error:
        print(f"bitstream: {error}", file=sys.stderr)
        return 2
    folder = options.out or ROOT / "build" / f"{options.board}-{name}"
    print(f"{chosen.title}, build {name}, fingerprint {parameters.fingerprint():016x}")
    print(f"to {folder}; the first run of each tool compiles it for a minute", flush=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(
            f"bitstream: --out {folder} cannot be made: {error.strerror}; choose another folder",
            file=sys.stderr,
        )
        return 2
    seeds = range(1, options.seeds + 1)
    try:
        report = make_bitstream(chosen, name, parameters, folder, seeds, _tell)
    except DeviceError as error:
        print(f"bitstream: {error}", file=sys.stderr)
        return 1
    shown = {key: value for key, value in report.items() if key not in ("parameters", "tools")}
    print(json.dumps(shown, indent=1))
    met = "is met" if report["clock_met"] else "IS NOT MET"
    print(
        f"{folder / report['bitstream']['file']}: {report['fmax_best_mhz']} MHz, so that the clock "
        f"of {report['clock_mhz']:g} MHz {met}"
    )
    return 0 if report["clock_met"] else 1


def _tell(step: str, seconds: float | None) -> None:
    if seconds is None:
        print(f"  {step:<12s}", end=" ", flush=True)
    else:
        print(f"{seconds:7.1f} s" if seconds else "made before", flush=True)


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, BOARDS))
    lines = [
        f"  {name:<{width}s} {one.title}: {', '.join(one.builds)}" for name, one in BOARDS.items()
    ]
    parser = argparse.ArgumentParser(
        prog="bitstream",
        description="Make the bitstream of a board, with a JSON report of its figures beside it.",
        epilog="boards and their builds:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--board", required=True, metavar="NAME", help="the board, see below")
    parser.add_argument("--build", metavar="NAME", help="what it holds (default: its first)")
    parser.add_argument(
        "--seeds",
        type=_positive,
        default=1,
        metavar="N",
        help="placement seeds to try; the fastest result is packed (default: 1)",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="default: build/BOARD-BUILD")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least one seed is needed, not {number}")
    return number


if __name__ == "__main__":
    sys.exit(main())
