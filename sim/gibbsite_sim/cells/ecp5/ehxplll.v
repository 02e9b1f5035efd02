// The clock multiplier of ECP5, whose output is the clock of the simulation: a cycle here is one of CLKOP, which the board
// makes CLKFB_DIV / CLKI_DIV times as fast as CLKI. Neither that ratio nor the time until it locks is modelled.
//
// Source: Lattice, ECP5 and ECP5-5G sysCLOCK PLL/DLL Usage Guide, FPGA-TN-02200. Other outputs, a feedback that is not
// CLKOP's, phases that move and a reset end the simulation.

module EHXPLLL(
  input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC, ENCLKOP,
  output CLKOP
);
  parameter FEEDBK_PATH = "CLKOP", CLKOP_ENABLE = "ENABLED";
  parameter [31:0] CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0;
  initial begin
    if (FEEDBK_PATH != "CLKOP" || CLKOP_ENABLE != "ENABLED") $fatal(1, "EHXPLLL: another output or feedback is not modelled");
    if (CLKOP_FPHASE != 0 || CLKOP_CPHASE != CLKOP_DIV - 1) $fatal(1, "EHXPLLL: phases are not modelled");
  end
  always @* if (RST || STDBY || PHASESTEP || PHASELOADREG) $fatal(1, "EHXPLLL: resets and steps are not modelled");
  assign CLKOP = CLKI;
endmodule
