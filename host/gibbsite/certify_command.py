"""`gibbsite certify`: a model, a beta, and a device or draws made elsewhere, to a certificate.

Exit codes: 0 certified; 3 biased or not equilibrated; 5 unknown; as for all commands 2 for bad
input, 4 for a device that is missing or failed, 130 when interrupted.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gibbsite.default_device import DEFAULT_DEVICE
from gibbsite_hw.spec.errors import GibbsiteError

if TYPE_CHECKING:
    import dimod
    import numpy as np
    from numpy.typing import NDArray

    from gibbsite.progress import Report

__all__ = ["REFUTED", "UNKNOWN", "Certified", "CertifyError", "certify", "certify_device"]

CERTIFIED: Final = 0
REFUTED: Final = 3
UNKNOWN: Final = 5

EXIT_CODES: Final = {"certified": CERTIFIED, "biased": REFUTED, "not equilibrated": REFUTED}

CHAINS, READS, BURN_IN, THIN = 32, 12_800, 1000, 1

MOST_READS: Final = 10_000_000

MOST_SWEEPS: Final = (1 << 32) - 1
"""Sweeps that one run of a device counts."""


class CertifyError(GibbsiteError, ValueError):
    """An argument of `certify` that cannot be used."""


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate as plain values, what it is of, and the series behind it for a picture."""

    document: dict[str, Any]
    energies: NDArray[np.float64]

    @property
    def exit_code(self) -> int:
        """What the command leaves with."""
        return EXIT_CODES.get(self.document["certificate"]["verdict"], UNKNOWN)


def certify(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A model of dimod (.json, .coo), or a Max-Cut or spin glass file.",
        ),
    ],
    beta: Annotated[float, typer.Option(help="The inverse temperature that is claimed.")],
    device: Annotated[
        str | None,
        typer.Option(help="Where to sample; see `gibbsite devices`.", show_default=DEFAULT_DEVICE),
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option(help="Draws made elsewhere (.npz, or a dimod sample set as .json)."),
    ] = None,
    chains: Annotated[
        int | None,
        typer.Option(help="Chains, each from a start of its own.", show_default=str(CHAINS)),
    ] = None,
    reads: Annotated[
        int | None, typer.Option(help="Draws of all chains together.", show_default=str(READS))
    ] = None,
    burn_in: Annotated[
        int | None,
        typer.Option(help="Sweeps before a chain's first draw.", show_default=str(BURN_IN)),
    ] = None,
    thin: Annotated[
        int | None,
        typer.Option(help="Sweeps between two draws of a chain.", show_default=str(THIN)),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Repeats a run to the bit.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the certificate as JSON.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the certificate here.")] = None,
) -> int:
    """Say whether draws follow a model's law: certified, biased, not equilibrated or unknown.

    Devices draw with their graph engine. Leaves with 0 if certified, 3 if biased or not
    equilibrated, 5 if unknown.
    """
    import json

    from gibbsite import cli

    cli.refuse_undrawable(plot)
    cli.refuse_unwritable("--plot", plot)
    if not math.isfinite(beta) or beta < 0:
        raise CertifyError(f"--beta is {beta}: give a finite number from 0")
    options = {"chains": chains, "reads": reads, "burn_in": burn_in, "thin": thin, "seed": seed}
    asked = {name: value for name, value in options.items() if value is not None}
    if samples is not None:
        _refuse_drawing(samples, asked if device is None else {"device": device, **asked})
    from gibbsite.progress import bars

    with bars() as progress:
        progress("certifying", 0, None)  # until the end, but for the drawing
        from gibbsite.model_files import read_model

        bqm = read_model(model)
        if samples is not None:
            found = certify_samples(bqm, beta, samples)
        else:
            where = DEFAULT_DEVICE if device is None else device
            found = certify_device(bqm, beta, where, progress=progress, **asked)
    found.document["model"] = str(model)
    try:
        if plot is not None:
            from gibbsite.certificate_plot import draw

            draw(found.document, found.energies, plot)
    finally:
        if as_json:
            text = json.dumps(found.document)
            cli.written(lambda: typer.echo(text))
        else:
            from gibbsite.certificate_report import show

            cli.written(lambda: show(found.document))
    return found.exit_code


def _refuse_drawing(samples: Path, asked: Mapping[str, object]) -> None:
    """Refuse what steers a device's draws where a file brings draws that are made already."""
    if asked:
        given = ", ".join(f"--{name.replace('_', '-')} {value}" for name, value in asked.items())
        raise CertifyError(
            f"{given} would steer a device, and --samples {samples} brings draws that are made "
            f"already: leave out {'one or the other' if len(asked) == 1 else 'these or --samples'}"
        )


def certify_device(
    model: dimod.BinaryQuadraticModel,
    beta: float,
    device: str,
    *,
    chains: int = CHAINS,
    reads: int = READS,
    burn_in: int = BURN_IN,
    thin: int = THIN,
    seed: int | None = None,
    progress: Report | None = None,
) -> Certified:
    """Draw from a device at beta, chains started at beta = 0, and certify what it gave.

    ``progress`` hears how the draws go on. Raises `CertifyError` for numbers without meaning, and
    what `Sampler` raises.
    """
    from gibbsite.devices import open as open_device
    from gibbsite.sampler import Sampler

    limits = (("--reads", reads, MOST_READS), ("--chains", chains, reads))
    sweeps = (("--burn-in", burn_in, MOST_SWEEPS), ("--thin", thin, MOST_SWEEPS))
    for name, value, most in (*limits, *sweeps):
        if not 1 <= value <= most:
            bound = ", no more than --reads" if name == "--chains" else ""
            raise CertifyError(f"{name} is {value}: give a number of 1..{most}{bound}")
    seed = secrets.randbits(63) if seed is None else seed
    taken = reads - reads % chains
    with open_device(device, progress=progress) as opened:
        if progress is not None:
            progress("drawing", 0, taken)
        drawn = Sampler(opened).sample(
            model,
            beta=beta,
            num_reads=taken,
            num_chains=chains,
            burn_in=burn_in,
            thin=thin,
            seed=seed,
            certify=True,
            progress=None if progress is None else partial(progress, "drawing"),
        )
    document = {
        "schema_version": 1,
        "device": drawn.info["device"],
        "fingerprint": drawn.info["fingerprint"],
        "seed": seed,
        "beta": beta,
        "burn_in": burn_in,
        "thin": thin,
        "reads_asked": reads,
        "certificate": drawn.info["certificate"],
    }
    return Certified(document, drawn.record.energy.reshape(chains, -1))


def certify_samples(model: dimod.BinaryQuadraticModel, beta: float, path: Path) -> Certified:
    """Certify draws from a file against a model and beta; without starts none is certified."""
    from gibbsite.certifying import Told, certificate_of_values, pair_model, spin_values
    from gibbsite.model_files import read_draws
    from gibbsite.slot_model import slot_model

    draws = read_draws(path, model)
    slots = slot_model(model)
    told = None if draws.starts is None else Told(draws.starts, f"as told in {path.name}")
    found = certificate_of_values(slots, draws.states, beta, told=told)
    energies = pair_model(slots).energies(spin_values(slots, draws.states))
    document = {
        "schema_version": 1,
        "device": None,
        "fingerprint": None,
        "seed": None,
        "beta": beta,
        "samples": str(path),
        "certificate": found.as_dict(),
    }
    return Certified(document, energies)
