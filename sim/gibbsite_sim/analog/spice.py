r"""A linear network of the circuit as an ngspice netlist with transient noise, and its run.

One unit is a capacitor C_i = C / M_i at node z_i, a transconductor for its own well, one for each
coupling that reads a buffer y_j (a follower and an R C of the lag), a constant current and a noise
current; a volt is a device unit:

    C_i dz_i/dt = -g (G_i c0_i z_i + sum_j G_ij c3_ij y_j + S o_i) + i_noise,     g = rate C / step

TRNOISE(NA, TS) joins independent Gaussians of spread NA, TS apart, by straight lines. Their
spectrum is ``NA^2 TS sinc(f TS)^4`` (two-sided; ``2 NA^2 TS`` one-sided at low frequency), so that

    NA = C_i noise_i / sqrt(step TS)

gives the circuit's diffusion. The roll-off takes about TS/(2 tau) of a mode's variance where the
lines meet; `piecewise_linear` has the exact covariance under such noise.

Source: ngspice manual, sections "Transient noise source" and "Transient noise analysis".
Twin: `gibbsite_sim.analog.circuit`.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm, solve_discrete_lyapunov

from gibbsite_hw.spec.errors import DeviceError, ProgramError, ToolMissing
from gibbsite_sim.analog.circuit import Circuit, Drive

__all__ = ["NGSPICE_HINT", "Spice", "find_ngspice", "piecewise_linear"]

Floats = NDArray[np.float64]

NGSPICE_HINT: Final = "apt-get install ngspice  (Debian, Ubuntu)"

CAPACITOR: Final = 20e-12
"""C of a unit of nominal mobility, in farad."""
FOLLOWER: Final = 1e4
"""Resistance between a follower and its buffer's capacitor, in ohm."""


def find_ngspice() -> str:
    """The program. Raises `ToolMissing` with the line that installs it."""
    program = shutil.which("ngspice")
    if program is None:
        raise ToolMissing(f"netlists are run by ngspice, which is not on PATH: {NGSPICE_HINT}")
    return program


@dataclass(frozen=True, slots=True)
class Spice:
    """A linear network as ngspice runs it.

    ``step`` seconds a step of the program; ``spacing`` TS in steps; ``gain`` multiplies the noise
    (1, but for tests of tests).
    """

    circuit: Circuit
    drive: Drive
    step: float
    spacing: float
    gain: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.spacing <= self.circuit.lag:
            raise ProgramError(
                f"noise samples must lie closer than the buffers' time constant of "
                f"{self.circuit.lag:g} steps and are {self.spacing:g} apart: choose less"
            )
        if self.circuit.held.any() or not self.circuit.linear(self.drive):
            raise ProgramError(
                "a netlist is made of networks without quartic terms, hinges and held units, and "
                "this program has some: leave them out"
            )

    def netlist(self, steps: int, seed: int, output: str = "samples.txt") -> str:
        """The network, run for so many steps; states once a step go to ``output``."""
        if steps < 1 or not 1 <= seed < 1 << 31:
            raise ProgramError(
                f"a run takes at least 1 step and a seed in 1..2^31-1 and was given {steps} and "
                f"{seed}: choose anew"
            )
        c, n = self.circuit, self.circuit.units
        B, force, noise = c.network(self.drive)
        lines = [f"* {n} units, {steps} steps of {self.step:g} s"]
        spacing = self.spacing * self.step
        lag = c.lag * self.step
        for i in range(n):
            capacitor = CAPACITOR / c.mobility[i]
            siemens = capacitor / self.step
            lines.append(f"C{i} z{i} 0 {capacitor:.9e}")
            lines.append(f"G{i} z{i} 0 z{i} 0 {siemens * B[i, i]:.9e}")
            for j in np.flatnonzero(B[i, n:]):
                lines.append(f"G{i}_{j} z{i} 0 y{j} 0 {siemens * B[i, n + j]:.9e}")
            lines.append(f"I{i} 0 z{i} DC {siemens * force[i]:.9e}")
            spread = self.gain * siemens * noise[i] / np.sqrt(self.spacing)
            lines.append(f"IN{i} 0 z{i} DC 0 TRNOISE({spread:.9e} {spacing:.9e} 0 0)")
            lines.append(f"E{i} b{i} 0 z{i} 0 1")
            lines.append(f"R{i} b{i} y{i} {FOLLOWER:g}")
            lines.append(f"CY{i} y{i} 0 {lag / FOLLOWER:.9e}")
        nodes = " ".join(f"v(z{i})" for i in range(n))
        lines += [
            ".options reltol=1e-4 abstol=1e-15 vntol=1e-7 gmin=1e-18",
            ".control",
            f"setseed {seed}",
            f"save {nodes}",
            f"tran {self.step:.9e} {steps * self.step:.9e} 0 {spacing:.9e}",
            f"linearize {nodes}",
            "set wr_singlescale",
            "set numdgt=9",
            f"wrdata {output} {nodes}",
            "quit 0",
            ".endc",
            ".end",
        ]
        return "\n".join(lines) + "\n"

    def run(self, steps: int, seed: int, folder: Path, patience: float = 600.0) -> Floats:
        """States ``[steps + 1, units]`` of a run, from rest, once a step.

        Raises: ToolMissing without ngspice; DeviceError where it fails.
        """
        program = find_ngspice()
        source, output = folder / "network.cir", folder / "samples.txt"
        output.unlink(missing_ok=True)  # an earlier run's states must not pass for this one's
        source.write_text(self.netlist(steps, seed, output.name), encoding="ascii")
        try:
            done = subprocess.run(
                [program, "-b", source.name],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=patience,
            )
        except subprocess.TimeoutExpired as error:
            raise DeviceError(
                f"ngspice did not finish {steps} steps in {patience:g} s: run fewer steps"
            ) from error
        last = " ".join((done.stderr or done.stdout).strip().splitlines()[-1:])
        if done.returncode or not output.is_file():
            raise DeviceError(
                f"ngspice gave no samples (exit code {done.returncode}, {last}): see {source}"
            )
        found = _table(output)
        if found.shape != (steps + 1, self.circuit.units + 1) or not np.isfinite(found).all():
            raise DeviceError(
                f"ngspice must give {steps + 1} rows of time and {self.circuit.units} finite "
                f"voltages and gave shape {found.shape} ({last}): see {source}"
            )
        return found[:, 1:]

    def covariance(self) -> Floats:
        """What a long run has, under noise of straight lines: ``[units, units]``."""
        B, _, noise = self.circuit.network(self.drive)
        return piecewise_linear(B, self.gain * noise, self.spacing)

    def spread(self, covariance: Floats, readings: int) -> tuple[Floats, Floats]:
        """One sigma of a mean ``[n]`` and a covariance ``[n, n]`` measured by so many readings.

            Var S_ij = 1/N sum_k (C_ii(k) C_jj(k) + C_ij(k) C_ji(k)),   C(k) = exp(-B |k|) S

        over readings a step apart: what an effective sample size stands for, for every entry its
        own. The buffers are left out of B; they are much faster than a step.
        """
        n = self.circuit.units
        B, _, _ = self.circuit.network(self.drive)
        values, vectors = np.linalg.eig(B[:n, :n] + B[:n, n:])
        left = np.linalg.solve(vectors, covariance.astype(np.complex128))
        # C(k)_ij = sum_a v_ia exp(-w_a k) l_aj, and exp(-w |k|) over all k adds up to coth(w/2)
        pairs = 1 / np.tanh((values[:, None] + values[None, :]) / 2)
        total = np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                one = (vectors[i] * left[:, i]) @ pairs @ (vectors[j] * left[:, j])
                two = (vectors[i] * left[:, j]) @ pairs @ (vectors[j] * left[:, i])
                total[i, j] = float((one + two).real)
        ones = np.einsum("ia,a,ai->i", vectors, 1 / np.tanh(values / 2), left).real
        return np.sqrt(ones / readings), np.sqrt(total / readings)


def _table(path: Path) -> Floats:
    """Numbers of a file in rows; empty for what is no such file."""
    lines = [line.split() for line in path.read_text(errors="replace").splitlines()]
    try:
        return np.array([line for line in lines if line], dtype=np.float64, ndmin=2)
    except ValueError:
        return np.empty((0, 0))


def piecewise_linear(B: Floats, noise: Floats, spacing: float) -> Floats:
    """Stationary covariance of ``dx = -B x dt + noise u(t)``, u straight lines between Gaussians.

    u has variance ``1 / spacing`` at points ``spacing`` apart; B ``[m, m]``, noise ``[n]`` acts on
    the first n; gives ``[n, n]`` at such points.
    """
    m, n = len(B), len(noise)
    # the state with u and its slope appended: exact over one spacing
    whole = np.zeros((m + 2 * n, m + 2 * n))
    whole[:m, :m] = -B
    whole[:n, m : m + n] = np.diag(noise)
    whole[m : m + n, m + n :] = np.eye(n)
    E = expm(whole * spacing)
    A, U, V = E[:m, :m], E[:m, m : m + n], E[:m, m + n :] / spacing
    # x' = A x + (U - V) u + V u',  so (x, u) is a chain with fresh u'
    step = np.zeros((m + n, m + n))
    step[:m, :m], step[:m, m:] = A, U - V
    fresh = np.vstack([V, np.eye(n)]) / np.sqrt(spacing)
    found: Floats = solve_discrete_lyapunov(step, fresh @ fresh.T)
    return found[:n, :n]
