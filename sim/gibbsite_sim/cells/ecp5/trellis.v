// Look-up tables, flip-flops and pins of ECP5 as nextpnr leaves them after place and route.
//
// Source: Lattice, ECP5 and ECP5-5G Family Data Sheet, FPGA-DS-02012, slices; Project Trellis for the
// names of the settings. A setting that is not described here ends the simulation.

// LOGIC: F = INITVAL[{D, C, B, A}]. CCU2: a full adder's half, F = table xor carry in, and
// carry out = table ? carry in : INITVAL[{B, A}]; CCU2_INJECT1 cuts the carry off from both.
// OFX joins two tables, or with IS_Z1 two such pairs, M choosing. RAMW_BLOCK: nothing, its place is taken by a TRELLIS_RAMW.
module TRELLIS_COMB(
  input A, B, C, D, M, FCI, F1, FXA, FXB, DI0, DI1, WD, WAD0, WAD1, WAD2, WAD3, WRE, WCK,
  output F, FCO, OFX
);
  parameter MODE = "LOGIC", CCU2_INJECT1 = "NO", WREMUX = "WRE", WCKMUX = "WCK";
  parameter [15:0] INITVAL = 0;
  parameter IS_Z1 = 1'b0;
  wire table_out = INITVAL[{D, C, B, A}];
  initial begin
    if (MODE != "LOGIC" && MODE != "CCU2" && MODE != "DPRAM" && MODE != "RAMW_BLOCK")
      $fatal(1, "TRELLIS_COMB: mode is not modelled");
    if (WCKMUX != "WCK" || WREMUX != "WRE") $fatal(1, "TRELLIS_COMB: clock or enable is not modelled");
  end
  generate
    if (MODE == "DPRAM") begin
      // One of the four bits of a distributed memory of 16 words; D, B, C, A are its address from bit 0 on.
      // Until it is written it is the look-up table that its first values were put into, as in LOGIC.
      reg [15:0] word;
      integer at;
      initial for (at = 0; at < 16; at = at + 1) word[at] = INITVAL[{at[0], at[2], at[1], at[3]}];
      always @(posedge WCK) if (WRE) word[{WAD3, WAD2, WAD1, WAD0}] <= WD;
      assign F = word[{A, C, B, D}];
      assign FCO = 1'b0;
    end else if (MODE == "CCU2") begin
      wire passes = CCU2_INJECT1 != "YES";
      assign F = table_out ^ (passes & FCI);
      assign FCO = table_out ? FCI : passes & INITVAL[{2'b00, B, A}];
    end else begin
      assign F = table_out;
      assign FCO = 1'b0;
    end
  endgenerate
  assign OFX = M ? (IS_Z1 ? FXB : F1) : (IS_Z1 ? FXA : F);
endmodule

// Q takes DI, or M where SD is 0, at the clock; LSR sets or clears it, with or without CE.
module TRELLIS_FF(input CLK, LSR, CE, DI, M, output reg Q);
  parameter GSR = "ENABLED", CEMUX = "1", CLKMUX = "CLK", LSRMUX = "LSR", SRMODE = "LSR_OVER_CE";
  parameter REGSET = "RESET", LSRMODE = "LSR", SD = "1";
  localparam SET = REGSET == "SET";
  initial begin
    Q = SET;
    if (SRMODE != "LSR_OVER_CE" && SRMODE != "CE_OVER_LSR") $fatal(1, "TRELLIS_FF: SRMODE is not modelled");
    if (CLKMUX != "CLK" || LSRMODE != "LSR") $fatal(1, "TRELLIS_FF: clock or LSRMODE is not modelled");
    if (SD != "0" && SD != "1") $fatal(1, "TRELLIS_FF: SD");
  end
  wire enabled = CEMUX == "1" || (CEMUX == "INV" ? !CE : CEMUX != "0" && CE);
  wire resets = LSRMUX == "INV" ? !LSR : LSR;
  always @(posedge CLK)
    if (resets && (enabled || SRMODE == "LSR_OVER_CE")) Q <= SET;
    else if (enabled) Q <= SD == "0" ? M : DI;
endmodule

// Pins of one direction, named so by gibbsite_sim.netlist.verilog; of both directions there is no model.
module TRELLIS_IO_INPUT(input B, I, T, output O);
  parameter DIR = "INPUT";
  assign O = B;
endmodule

module TRELLIS_IO_OUTPUT(output B, input I, T, output O);
  parameter DIR = "OUTPUT";
  assign B = I;
  assign O = 1'b0;
  always @* if (T) $fatal(1, "TRELLIS_IO: an output that lets go is not modelled");
endmodule

// The way of address and data to the distributed memories of a slice.
module TRELLIS_RAMW(
  input A0, B0, C0, D0, A1, B1, C1, D1,
  output WDO0, WDO1, WDO2, WDO3, WADO0, WADO1, WADO2, WADO3
);
  assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
  assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
endmodule
