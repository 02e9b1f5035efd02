"""An analog chip before and after calibration: the moments of a program that it did not see.

python examples/calibrate_analog.py                      the chip of mismatch seed 7
python examples/calibrate_analog.py --mismatch 11
"""

import argparse
import sys

import numpy as np
from rich.console import Console

import gibbsite
from gibbsite.langevin_compiler import compile_potential
from gibbsite_hw.spec.device import Device
from gibbsite_models.energies.potential import Array, Potential
from gibbsite_models.exact.langevin import gaussian
from gibbsite_models.langevin_float import Protocol, Segment
from gibbsite_sim.analog.calibrate import calibrate

say = Console(highlight=False).out
UNITS = 6
KT = 0.5
BUILD = "engines=langevin&units=6&constraints=0&multipliers=4&pairs=32"


def network() -> Potential:
    """Six coupled wells."""
    rng = np.random.default_rng(2026)
    J = np.triu(rng.uniform(-0.4, 0.4, (UNITS, UNITS)), 1)
    return Potential.build(
        UNITS, J2=rng.uniform(1, 2, UNITS), b=rng.uniform(-1, 1, UNITS), J=J + J.T
    )


def moments(device: Device, potential: Potential) -> tuple[Array, Array]:
    """Mean and covariance of what the device draws: 20,000 readings."""
    compiled = compile_potential(potential, device.info.langevin)
    device.load(compiled.program)
    protocol = Protocol(1.0, [Segment(200, kT=KT, dt=0.03)])
    request = compiled.request(protocol, seed=5, chains=4000, draws=5, thin=60)
    states = compiled.decode(device.run(request), request).states
    assert states is not None
    flat = states.reshape(-1, UNITS)
    return flat.mean(axis=0), np.cov(flat.T)


def main() -> None:
    """Calibrate, and print what that changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mismatch", type=int, default=7)
    mismatch = parser.parse_args().mismatch
    potential = network()
    exact = gaussian(potential, KT)
    spread = np.sqrt(np.diag(exact.covariance))

    def report(label: str, device: Device) -> None:
        mean, covariance = moments(device, potential)
        means = np.sqrt(np.mean(((mean - exact.mean) / spread) ** 2))
        entries = (covariance - exact.covariance) / np.outer(spread, spread)
        say(f"{label:7s}  means {means:6.3f}   covariances {np.sqrt(np.mean(entries**2)):6.3f}")

    with gibbsite.open(f"analog:?mismatch={mismatch}&{BUILD}") as device:
        say("rms error against the program's own Gaussian, in units of its spreads")
        report("before", device)
        found = calibrate(device, UNITS)
        report("after", device)
    say("(20,000 readings alone err by 0.007)\n")
    say("parts of the chip, as calibration measured them")
    say(found.table())


if __name__ == "__main__":
    try:
        main()
    except gibbsite.GibbsiteError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
