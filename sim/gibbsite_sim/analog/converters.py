"""Converters between codes and a circuit: uniform steps, signed, cut at full scale.

    DAC: round(v / step) step, step = largest / (2^(bits-1) - 1);   ADC: the same over +-rails

A logarithmic DAC has equal ratios between its steps: ``2^(round(log2(v) / r) r)``.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["dac", "log_dac", "read_adc"]

Floats = NDArray[np.float64]

LOG_RANGE: Final = 10
"""Octaves that a logarithmic converter covers below its reference."""


def dac(values: Floats, bits: int, reference: float | None = None) -> Floats:
    """Values as a converter gives them; its reference is the largest of them, or is given."""
    top = float(np.abs(values).max(initial=0.0)) if reference is None else reference
    if top == 0:
        return np.zeros_like(values, dtype=np.float64)
    most = (1 << (bits - 1)) - 1
    codes = np.clip(np.rint(values / top * most), -most, most)
    return np.asarray(codes * (top / most), dtype=np.float64)


def log_dac(value: float, bits: int, reference: float) -> float:
    """A value of equal relative steps below a reference; 0 stays 0."""
    if value <= 0:
        return 0.0
    ratio = LOG_RANGE / ((1 << bits) - 1)
    steps = min(round(float(np.log2(reference / value)) / ratio), (1 << bits) - 1)
    return float(reference * 2.0 ** (-steps * ratio))


def read_adc(values: NDArray[np.floating], bits: int, rails: float, frac: int) -> NDArray[np.int64]:
    """State codes with ``frac`` fraction bits of voltages between the rails."""
    most = (1 << (bits - 1)) - 1
    codes = np.clip(np.rint(values * (most / rails)), -most, most)
    return np.asarray(np.rint(codes * (rails / most * 2.0**frac)), dtype=np.int64)
