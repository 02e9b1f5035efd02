"""Plan ten tasks on three machines from a sentence, print the answer, draw the Gantt chart.

    python examples/schedule.py                         on the compiled emulator (`fast:`)
    python examples/schedule.py --device sim:           on the RTL itself, Verilated

The picture is written to `schedule.png` in the current folder.
"""

import argparse
import sys
from pathlib import Path

import gibbsite
from gibbsite import plot, report
from gibbsite.progress import bars

TEXT = """
Zaplanuj harmonogram 10 zadań na 3 maszyny. Każde zadanie trwa 1-4 godziny.
Maszyna A może pracować 0-8h, B: 8-16h, C: całą dobę. Minimalizuj czas zakończenia wszystkich zadań.
"""


def main() -> None:
    """Solve the text on the device named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="fast:")
    device = parser.parse_args().device
    with bars() as progress:
        result = gibbsite.solve(TEXT, device=device, seed=2026, trace=True, progress=progress)
    report.show(result)
    plot.draw(result, Path("schedule.png"))


if __name__ == "__main__":
    try:
        main()
    except gibbsite.GibbsiteError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
