"""The PLL of an ECP5: one clock from another.

    out = in feedback / divider,   vco = out output,   400 MHz <= vco <= 800 MHz

Source: Lattice, ECP5 and ECP5-5G sysCLOCK PLL/DLL Design and Usage Guide, FPGA-TN-02200.
"""

from amaranth.hdl import Const, Instance, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.errors import DeviceError

__all__ = ["Ecp5Pll", "ecp5_dividers"]

_VCO_HZ = (400_000_000, 800_000_000)
_PHASE_DETECTOR_HZ = 10_000_000
_MOST = 128


def ecp5_dividers(input_hz: int, output_hz: int) -> tuple[int, int, int]:
    """(divider, feedback, output) whose clock is exactly ``output_hz``, the VCO nearest 600 MHz.

    Raises:
        DeviceError: no dividers give it.
    """
    for divider in range(1, input_hz // _PHASE_DETECTOR_HZ + 1):
        feedback, rest = divmod(output_hz * divider, input_hz)
        if rest or not 1 <= feedback <= _MOST:
            continue
        output = min(_MOST, round(sum(_VCO_HZ) / 2 / output_hz))
        if output and _VCO_HZ[0] <= output * output_hz <= _VCO_HZ[1]:
            return divider, feedback, output
    raise DeviceError(
        f"no dividers of the PLL make {output_hz} Hz of {input_hz} Hz: choose a multiple of "
        f"{input_hz} Hz or of a half of it, from 4 MHz to 400 MHz"
    )


class Ecp5Pll(wiring.Component):
    """``clock_out`` runs at ``output_hz`` where ``clock_in`` runs at ``input_hz``."""

    def __init__(self, input_hz: int, output_hz: int) -> None:
        self._dividers = ecp5_dividers(input_hz, output_hz)
        super().__init__({"clock_in": In(1), "clock_out": Out(1)})

    def elaborate(self, platform):
        m = Module()
        divider, feedback, output = self._dividers
        m.submodules.pll = Instance(
            "EHXPLLL",
            p_CLKI_DIV=divider,
            p_CLKFB_DIV=feedback,
            p_CLKOP_DIV=output,
            p_CLKOP_CPHASE=output - 1,
            p_CLKOP_FPHASE=0,
            p_CLKOP_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=self.clock_in,
            i_CLKFB=self.clock_out,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PHASESEL0=Const(0),
            i_PHASESEL1=Const(0),
            i_PHASEDIR=Const(0),
            i_PHASESTEP=Const(0),
            i_PHASELOADREG=Const(0),
            i_PLLWAKESYNC=Const(0),
            i_ENCLKOP=Const(0),
            o_CLKOP=self.clock_out,
        )
        return m
