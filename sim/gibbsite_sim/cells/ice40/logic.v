// Logic cells, global buffers and pins of iCE40 as nextpnr leaves them after place and route.
//
// Source: Lattice, iCE40 LP/HX Family Data Sheet, FPGA-DS-02029, and iCE40 UltraPlus Family Data
// Sheet, FPGA-DS-02008, programmable logic blocks; Project IceStorm for the names of the settings.
// A setting that is not described here ends the simulation.

// O = LUT_INIT[{I3, I2, I1, I0}], with DFF_ENABLE one clock later; COUT = majority of I1, I2 and the carry in,
// which is CIN or, with CIN_CONST, CIN_SET. SR clears O, with SET_NORESET sets it: at the clock and only while
// CEN is high, or with ASYNC_SR at once.
module ICESTORM_LC(input I0, I1, I2, I3, CIN, CLK, CEN, SR, output O, LO, COUT);
  parameter [15:0] LUT_INIT = 0;
  parameter [0:0] NEG_CLK = 0, CARRY_ENABLE = 0, DFF_ENABLE = 0, SET_NORESET = 0, ASYNC_SR = 0;
  parameter [0:0] CIN_CONST = 0, CIN_SET = 0;
  initial if (NEG_CLK || ASYNC_SR) $fatal(1, "ICESTORM_LC: clock or reset is not modelled");
  wire carry = CIN_CONST ? CIN_SET : CIN;
  wire table_out = LUT_INIT[{I3, I2, I1, I0}];
  assign COUT = CARRY_ENABLE & (I1 & I2 | (I1 | I2) & carry);
  assign LO = table_out;
  generate
    if (DFF_ENABLE) begin
      reg state = 1'b0;
      always @(posedge CLK) if (CEN) state <= SR ? SET_NORESET : table_out;
      assign O = state;
    end else assign O = table_out;
  endgenerate
endmodule

module SB_GB(input USER_SIGNAL_TO_GLOBAL_BUFFER, output GLOBAL_BUFFER_OUTPUT);
  assign GLOBAL_BUFFER_OUTPUT = USER_SIGNAL_TO_GLOBAL_BUFFER;
endmodule

// Pins of one direction without registers, named so by gibbsite_sim.netlist.verilog.
module SB_IO_INPUT(input PACKAGE_PIN, output D_IN_0, GLOBAL_BUFFER_OUTPUT);
  assign D_IN_0 = PACKAGE_PIN;
  assign GLOBAL_BUFFER_OUTPUT = PACKAGE_PIN;
endmodule

module SB_IO_OUTPUT(output PACKAGE_PIN, input D_OUT_0);
  assign PACKAGE_PIN = D_OUT_0;
endmodule
