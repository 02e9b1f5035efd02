"""Train the generative computer on handwritten digits, and measure what it generates in float.

    python tools/train_digits.py                       # three classes, into the package's data
    python tools/train_digits.py --classes 0123456789  # all ten
    python tools/train_digits.py --judge               # figures of the committed file, no training
    python tools/train_digits.py --lambda-table        # what lambda does to heat and quality

A training takes seconds. With ``--checkpoint FILE`` it can be interrupted at any time, by Ctrl-C or
harder, and the same command goes on where it was, to the bit. Needs ``gibbsite[digits]``.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import gibbsite_models
from gibbsite_hw.spec.errors import GibbsiteError
from gibbsite_models.digits import Digits, load_digits
from gibbsite_models.digits_judge import Judge, Verdict
from gibbsite_models.generative import (
    Generator,
    Plan,
    Trained,
    generator,
    load_trained,
    save_trained,
    untrained,
)
from gibbsite_models.generative_training import train
from gibbsite_models.langevin_float import simulate

REACH = 8.0
LAMBDAS = (0.0, 0.05, 0.1, 0.2, 0.4)
WEIGHT_BITS = 12


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--classes", default="012", help="digits, such as 012 (default)")
    parser.add_argument("--out", type=Path, help="the trained file (default: the package's data)")
    parser.add_argument("--checkpoint", type=Path, help="keep the state of training here")
    parser.add_argument("--seed", type=int, default=Plan(classes=(0,)).seed)
    parser.add_argument("--bits", type=int, default=Plan(classes=(0,)).bits)
    parser.add_argument("--split", type=int, default=1, help="seed of the held-out choice")
    parser.add_argument("--lambda-entropy", type=float, default=0.0)
    parser.add_argument("--samples", type=int, default=1000, help="images to judge (default 1000)")
    parser.add_argument("--judge", action="store_true", help="judge the trained file only")
    parser.add_argument("--lambda-table", action="store_true", help="measure the effect of lambda")
    given = parser.parse_args(arguments)
    if given.samples < 2:
        parser.error(f"--samples must be at least 2 and is {given.samples}")
    if not given.classes.isdecimal() or not given.classes.isascii():
        parser.error(f"--classes takes digits such as 012 and was given {given.classes!r}")
    classes = tuple(int(c) for c in given.classes)
    try:
        return _run(given, classes)
    except GibbsiteError as error:
        print(f"train_digits: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"train_digits: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = f"; run it again to go on from {given.checkpoint}" if given.checkpoint else ""
        print(f"\ntrain_digits: interrupted{kept}", file=sys.stderr)
        return 130


def _run(given: argparse.Namespace, classes: tuple[int, ...]) -> int:
    digits = load_digits(given.split)
    plan = Plan(
        classes=classes, bits=given.bits, seed=given.seed, lambda_entropy=given.lambda_entropy
    )
    out = given.out or _default(classes)
    if given.lambda_table:
        _lambda_table(digits, plan, given.samples)
        return 0
    if not given.judge:
        own = digits.of(classes)
        trained = train(own.train, own.train_labels, plan, given.checkpoint, _progress)
        print(file=sys.stderr)
        command = "python tools/train_digits.py " + " ".join(
            [f"--classes {given.classes}", f"--seed {plan.seed}", f"--bits {plan.bits}"]
            + ([f"--split {given.split}"] if given.split != 1 else [])
            + ([f"--lambda-entropy {plan.lambda_entropy}"] if plan.lambda_entropy else [])
        )
        out.parent.mkdir(parents=True, exist_ok=True)
        save_trained(out, trained, command)
        print(f"{out}: {out.stat().st_size} bytes, {trained.metadata['figures']}")
    _report(digits, load_trained(out), given.samples)
    return 0


def _default(classes: tuple[int, ...]) -> Path:
    names = {3: "three", 10: "ten"}
    name = names.get(len(classes), "".join(map(str, classes)))
    return Path(gibbsite_models.__file__).parent / "data" / f"digits_{name}.json"


def _progress(done: int, most: int, objective: float) -> None:
    if np.isnan(objective):
        text = f"noising paths {done}/{most}"
    else:
        text = f"descent, step {done}, objective {objective:.6f}"
    print(f"\r{text:<60}", end="", file=sys.stderr, flush=True)


def _report(digits: Digits, trained: Trained, samples: int) -> None:
    made = generator(trained)
    judge = Judge(digits, trained.plan.classes)
    print(f"classifier: {judge.accuracy:.4f} of held-out images right")
    print(f"{made.potential.size} units, {made.protocol.steps} steps, {samples} samples")
    print(_header(trained.plan.classes))
    gauss, raw = judge.gaussian(samples, 1), judge.gaussian(samples, 1, clip=False)
    _print("real, held out", judge.real())
    _print("Gaussian", judge.verdict(gauss))
    _print("Gaussian, unclipped", judge.verdict(raw))
    z, heat = _sample(made, samples)
    _print("machine", judge.verdict(made.decode(z)))
    _print("machine, unclipped", judge.verdict(made.decode(z, clip=False)))
    held = replace(made, potential=_quantized(made))
    coarse, _ = _sample(held, samples)
    _print(f"machine, {WEIGHT_BITS}-bit J", judge.verdict(made.decode(coarse)))
    _print("  unclipped", judge.verdict(made.decode(coarse, clip=False)))
    blank, blank_heat = _sample(generator(untrained(trained)), samples)
    _print("untrained machine", judge.verdict(made.decode(blank)))
    print(f"heat a sample, kT: trained {_mean(heat)}, untrained {_mean(blank_heat)}")
    _completion(digits.of(trained.plan.classes), made, judge)


def _completion(own: Digits, made: Generator, judge: Judge, images: int = 60) -> None:
    half, count = made.visible // 2, min(images, len(own.held_out))
    right, error, plain = [], [], []
    chosen = np.random.default_rng(0).permutation(len(own.held_out))[:count]
    for seed, k in enumerate(chosen):
        image, label = own.held_out[k], own.held_out_labels[k]
        clamps = {u: float(v) for u, v in enumerate(made.encode(image)[:half])}
        z = simulate(
            made.potential, made.completion, 4, seed, made.start, made.completion_sigma0,
            clamps, reach=REACH,
        ).z  # fmt: skip
        found = made.decode(z)
        right.append(float((judge.likeliest(found) == label).mean()))
        error.append(float(np.sqrt(((found - image)[:, half:] ** 2).mean())))
        plain.append(float(np.sqrt(((judge.train.mean(axis=0) - image)[half:] ** 2).mean())))
    print(
        f"upper half clamped, {count} held-out images: right digit {_mean(np.array(right))}, lower "
        f"half's error {_mean(np.array(error))} grey levels, the mean image's "
        f"{_mean(np.array(plain))}"
    )


def _lambda_table(digits: Digits, plan: Plan, samples: int) -> None:
    own, judge = digits.of(plan.classes), Judge(digits, plan.classes)
    print(f"{'lambda':>8} {'path heat, kT':>14} {'heat a sample, kT':>22} " + _header(plan.classes))
    for value in LAMBDAS:
        trained = train(own.train, own.train_labels, replace(plan, lambda_entropy=value))
        made = generator(trained)
        z, heat = _sample(made, samples)
        path = trained.metadata["figures"]["path_heat"]
        print(f"{value:>8} {path:>14.2f} {_mean(heat):>22} ", end="")
        _print("", judge.verdict(made.decode(z)))


def _sample(made: Generator, samples: int) -> tuple[Any, Any]:
    protocol = made.protocol
    run = simulate(made.potential, protocol, samples, 5, made.start, made.sigma0, reach=REACH)
    return run.z, run.heat


def _quantized(made: Generator) -> Any:
    J = made.potential.J
    unit = 2.0 ** np.ceil(np.log2(np.abs(J).max() / (2 ** (WEIGHT_BITS - 1) - 1)))
    return replace(made.potential, J=np.round(J / unit) * unit)


def _mean(values: Any) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values))
    digits = max(0, 1 - int(np.floor(np.log10(error)))) if error > 0 else 3
    return f"{values.mean():.{digits}f} +- {error:.{digits}f}"


def _header(classes: tuple[int, ...]) -> str:
    shares = " ".join(f"{'is ' + str(c):>5}" for c in classes)
    return f"{'':<22} {'>= 0.9':>7} {shares} {'MMD^2':>9} {'half w':>8} {'nearest (quartiles)':>22}"


def _print(name: str, v: Verdict) -> None:
    shares = " ".join(f"{s:5.3f}" for s in v.shares)
    nearest = " ".join(f"{q:6.2f}" for q in v.nearest)
    print(f"{name:<22} {v.confident:7.3f} {shares} {v.mmd:9.5f} {v.mmd_half:8.5f} {nearest:>22}")


if __name__ == "__main__":
    sys.exit(main())
