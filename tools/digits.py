"""Trains the generative computer on handwritten digits, deploys it, and lets a device draw some.

    python tools/digits.py                                 three classes on sim:, then all ten
    python tools/digits.py --device golden: --count 2000   the same bits, without HDL tools

Writes ``report.md``, ``report.json`` and pictures into ``--out``. Exits with 1 if the samples of
the three classes miss a bar.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn

import gibbsite
from gibbsite.generators.assessment import Assessment, Bars, assess
from gibbsite.generators.machine import Generated, GenerativeMachine
from gibbsite.generators.pictures import draw_completions, draw_frames
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import GibbsiteError
from gibbsite_models.digits import LEVELS, Digits, load_digits
from gibbsite_models.digits_judge import Judge
from gibbsite_models.generative import Plan, Trained, untrained
from gibbsite_models.generative_training import train

SHOWN = 8
"""Chains in the picture of noise becoming digits."""

LEAST_SHARE = 0.15
"""Of three classes; others in proportion."""


def main() -> int:
    """Run the whole way; the exit status is 1 where a bar is missed."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    documents, texts, missed = [], [], []
    with gibbsite.open(options.device, progress=_building) as device:
        wanted = tuple(options.classes)
        for classes in dict.fromkeys((wanted, tuple(range(10)))):
            trained = _trained(digits, classes, options.out)
            found = _judged(digits, trained, device, options)
            if classes == wanted:
                missed = found.missed(Bars(least_share=LEAST_SHARE * 3 / len(classes)))
                _pictures(digits, trained, device, options)
            documents.append(found.document())
            texts.append(_text(found))
            print(f"\n{texts[-1]}", flush=True)
    bars = "all bars are met" if not missed else "missed: " + "; ".join(missed)
    print(f"\nclasses {options.classes} on {options.device}: {bars}")
    facts = {
        "command": " ".join(["python", *sys.argv]),
        "seed": options.seed,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "gibbsite": gibbsite.__version__,
        },
        "machine": platform.processor() or platform.machine(),
        "missed": missed,
    }
    report = json.dumps({**facts, "runs": documents}, indent=1)
    (options.out / "report.json").write_text(report + "\n", encoding="utf-8")
    (options.out / "report.md").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    print(f"written: {options.out}/report.md, report.json, noise_to_digits.png, completions.png")
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Digits drawn by a thermodynamic computer.")
    parser.add_argument("--device", default="sim:?engines=langevin&threads=2")
    parser.add_argument("--count", type=int, default=1000, help="samples of each machine")
    parser.add_argument("--classes", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("build/digits"))
    return parser.parse_args()


def _trained(digits: Digits, classes: tuple[int, ...], out: Path) -> Trained:
    own, began = digits.of(classes), time.monotonic()
    checkpoint = out / f"training-{''.join(map(str, classes))}.json"
    show = _progress(f"training on digits {' '.join(map(str, classes))}")
    trained = train(
        own.train,
        own.train_labels,
        Plan(classes),
        checkpoint=checkpoint,
        progress=lambda done, total, _objective: show(done, total),
    )
    checkpoint.unlink(missing_ok=True)  # only an interrupted training leaves one
    print(f"\n{trained.potential.size} units trained in {time.monotonic() - began:.1f} s")
    return trained


def _judged(
    digits: Digits, trained: Trained, device: Device, options: argparse.Namespace
) -> Assessment:
    judge = Judge(digits, trained.plan.classes)
    drawn = _drawn("trained", trained, device, options)
    plain = _drawn("untrained", untrained(trained), device, options)
    return assess(judge, trained, drawn, plain, options.seed)


def _drawn(name: str, trained: Trained, device: Device, options: argparse.Namespace) -> Generated:
    machine = GenerativeMachine(trained, device)
    began = time.monotonic()
    drawn = machine.sample(options.count, options.seed, _progress(f"the {name} machine draws"))
    print(f"\n{options.count} samples in {time.monotonic() - began:.1f} s")
    return drawn


def _pictures(
    digits: Digits, trained: Trained, device: Device, options: argparse.Namespace
) -> None:
    machine, last = GenerativeMachine(trained, device), trained.plan.steps
    steps = [0, *(round(last * part / 7) for part in range(1, 7)), last]
    frames = machine.frames(steps, SHOWN, options.seed)
    title = f"noise becoming digits, drawn by {options.device}"
    draw_frames(options.out / "noise_to_digits.png", frames, steps, LEVELS, title)
    rows = []
    for label in trained.plan.classes:
        own = digits.of([label]).held_out[:2]
        for image in own:
            known = np.arange(64) < 32
            made = machine.complete(image, known, 5, options.seed)
            rows.append([image, np.where(known, image, np.nan), *made.images])
    heads = ["held out", "known", *["drawn"] * 5]
    draw_completions(options.out / "completions.png", np.array(rows), heads, LEVELS)


def _text(found: Assessment) -> str:
    names = " ".join(map(str, found.classes))
    lines = [
        f"### Digits {names}",
        "",
        f"Classifier's accuracy on held-out images of all ten digits: {found.accuracy:.3f}. Real: "
        "held-out images; their MMD² is that of training images, the floor.",
        "",
        found.table(),
        "",
        found.heat_lines(),
    ]
    return "\n".join(lines)


def _progress(what: str) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        print(f"\r{what}: {done} of {total}", end="", flush=True)

    return show


def _building(what: str, done: int, total: int) -> None:
    print(f"\rbuilding the device: {what} {done} of {total}   ", end="", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except GibbsiteError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'the report'}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit("\nstopped; training goes on where it was when you start it again")
