"""The lattice cooling: a 128 x 128 ferromagnet at ever lower temperatures, as a picture.

    python tools/pictures/lattice_cooling.py docs/pictures/lattice_cooling.png

Every step of the schedule is a run that starts from the state that the one before it left. One
chain cooled so fast ends in a stripe below the critical temperature, above the exact energy;
tests/stats/test_lattice_law.py checks the energy of equilibrium.
"""

from __future__ import annotations

import sys
from array import array
from pathlib import Path

import dimod
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the backend was chosen

from gibbsite.devices import open as open_device
from gibbsite.lattice_model import CompiledLattice, compile_lattice
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.lattice_program import LatticeRequest
from gibbsite_models.exact.ising_torus import CRITICAL_TEMPERATURE, torus_energy

SIZE = 128
SEED = 3
SWEEPS = 40
STEPS = 60
TEMPERATURES = (4.0, 1.2)
SHOWN = (0, 12, 24, 33, 42, 60)
"""Steps after which the state is drawn."""


def main() -> None:
    """Draw into the file named."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures/lattice_cooling.png")
    draw(out)
    print(f"wrote {out}")


def draw(out: Path) -> None:
    """States above, energies below beside Kaufman's exact ones."""
    temperatures = np.geomspace(*TEMPERATURES, STEPS)
    sizes = f"lattice_rows={SIZE}&lattice_columns={SIZE}"
    with open_device(f"fast:?engines=lattice&{sizes}") as device:
        compiled = compile_lattice(ferromagnet(), device.info.lattice)
        device.load(compiled.program)
        codes = compiled.betas(1 / temperatures)
        runs = cooled(device, compiled, codes)
    figure, axes = plt.subplot_mosaic(
        [[f"state{k}" for k in range(len(SHOWN))], ["energy"] * len(SHOWN)],
        figsize=(12, 5.2),
        height_ratios=[1.0, 1.0],
        layout="constrained",
    )
    for k, step in enumerate(SHOWN):
        axis = axes[f"state{k}"]
        axis.imshow(runs[step][0], cmap="gray", interpolation="nearest", vmin=-1, vmax=1)
        axis.set_title("start" if step == 0 else f"T = {temperatures[step - 1]:.2f}", fontsize=10)
        axis.set_xticks([])
        axis.set_yticks([])
    axis = axes["energy"]
    energies = [energy / SIZE**2 for _, energy in runs[1:]]
    exact = [torus_energy(SIZE, SIZE, float(t)) for t in temperatures]
    axis.plot(temperatures, exact, color="tab:gray", label="exact (Kaufman)")
    axis.plot(temperatures, energies, ".", color="tab:red", label="one chain of the engine")
    axis.axvline(CRITICAL_TEMPERATURE, color="black", linewidth=0.6, linestyle=":")
    axis.set_xlabel("temperature, J / k")
    axis.set_ylabel("energy a site, J")
    axis.invert_xaxis()
    axis.legend(frameon=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)
    plt.close(figure)


def ferromagnet() -> dimod.BinaryQuadraticModel:
    """J = -1 between neighbours on the torus."""
    sites = [(row, column) for row in range(SIZE) for column in range(SIZE)]
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_linear_from((site, 0.0) for site in sites)
    for row, column in sites:
        model.add_quadratic((row, column), (row, (column + 1) % SIZE), -1.0)
        model.add_quadratic((row, column), ((row + 1) % SIZE, column), -1.0)
    return model


def cooled(
    device: Device, compiled: CompiledLattice, codes: array[int]
) -> list[tuple[NDArray[np.int8], float]]:
    """State and energy at the start and after every step."""
    rows, columns = np.array(compiled.sites).T
    state, found = None, []
    for step in range(STEPS + 1):
        request = LatticeRequest(
            codes[step - 1 : step] if step else array("I"),
            SEED,
            first_chain=step,
            sweeps_per_step=SWEEPS,
            state=state,
        )
        result = device.run(request)
        state = result.states
        grid = np.zeros((SIZE, SIZE), dtype=np.int8)
        grid[rows, columns] = compiled.spins(state)[0]
        found.append((grid, result.energies[0] * compiled.scale))
    return found


if __name__ == "__main__":
    main()
