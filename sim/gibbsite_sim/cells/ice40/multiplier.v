// The multiplier of an iCE40 UltraPlus as nextpnr leaves it, without any of its registers.
//
//     O = A B              OUTPUT_SELECT 3 in both halves
//     O = {C, D} + A B     OUTPUT_SELECT 0: both adders, of C or D and half of the product, the carry of the
//                          lower one going to the upper one
//
// Source: Lattice, DSP Function Usage Guide for iCE40 Devices, FPGA-TN-02007. A setting that is not described
// here ends the simulation.

module ICESTORM_DSP(
  input CLK, CE, AHOLD, BHOLD, CHOLD, DHOLD, IRSTTOP, IRSTBOT, ORSTTOP, ORSTBOT, OLOADTOP, OLOADBOT,
  input ADDSUBTOP, ADDSUBBOT, OHOLDTOP, OHOLDBOT, CI, ACCUMCI, SIGNEXTIN,
  input A_0, A_1, A_2, A_3, A_4, A_5, A_6, A_7, A_8, A_9, A_10, A_11, A_12, A_13, A_14, A_15,
  input B_0, B_1, B_2, B_3, B_4, B_5, B_6, B_7, B_8, B_9, B_10, B_11, B_12, B_13, B_14, B_15,
  input C_0, C_1, C_2, C_3, C_4, C_5, C_6, C_7, C_8, C_9, C_10, C_11, C_12, C_13, C_14, C_15,
  input D_0, D_1, D_2, D_3, D_4, D_5, D_6, D_7, D_8, D_9, D_10, D_11, D_12, D_13, D_14, D_15,
  output O_0, O_1, O_2, O_3, O_4, O_5, O_6, O_7, O_8, O_9, O_10, O_11, O_12, O_13, O_14, O_15,
  output O_16, O_17, O_18, O_19, O_20, O_21, O_22, O_23, O_24, O_25, O_26, O_27, O_28, O_29, O_30, O_31,
  output CO, ACCUMCO, SIGNEXTOUT
);
  parameter [31:0] A_SIGNED = 0, B_SIGNED = 0;
  parameter [1:0] TOPOUTPUT_SELECT = 0, BOTOUTPUT_SELECT = 0, TOPADDSUB_LOWERINPUT = 0, BOTADDSUB_LOWERINPUT = 0;
  parameter [1:0] TOPADDSUB_CARRYSELECT = 0, BOTADDSUB_CARRYSELECT = 0;
  parameter [0:0] TOPADDSUB_UPPERINPUT = 0, BOTADDSUB_UPPERINPUT = 0, NEG_TRIGGER = 0, MODE_8x8 = 0;
  parameter [0:0] A_REG = 0, B_REG = 0, C_REG = 0, D_REG = 0, TOP_8x8_MULT_REG = 0, BOT_8x8_MULT_REG = 0;
  parameter [0:0] PIPELINE_16x16_MULT_REG1 = 0, PIPELINE_16x16_MULT_REG2 = 0;
  localparam ADDS = TOPOUTPUT_SELECT == 0;
  initial begin
    if (A_REG || B_REG || C_REG || D_REG || TOP_8x8_MULT_REG || BOT_8x8_MULT_REG || MODE_8x8
        || PIPELINE_16x16_MULT_REG1 || PIPELINE_16x16_MULT_REG2)
      $fatal(1, "ICESTORM_DSP: registers and two multipliers of 8 bits are not modelled");
    if (TOPOUTPUT_SELECT != BOTOUTPUT_SELECT || TOPOUTPUT_SELECT != 0 && TOPOUTPUT_SELECT != 3)
      $fatal(1, "ICESTORM_DSP: this output is not modelled");
    if (ADDS && (TOPADDSUB_LOWERINPUT != 2 || BOTADDSUB_LOWERINPUT != 2 || !TOPADDSUB_UPPERINPUT
        || !BOTADDSUB_UPPERINPUT || TOPADDSUB_CARRYSELECT < 2 || BOTADDSUB_CARRYSELECT != 0))
      $fatal(1, "ICESTORM_DSP: these inputs of the adders are not modelled");
  end
  always @* if (ADDSUBTOP || ADDSUBBOT || OLOADTOP || OLOADBOT)
    $fatal(1, "ICESTORM_DSP: subtracting and loading are not modelled");
  wire [15:0] a = {A_15, A_14, A_13, A_12, A_11, A_10, A_9, A_8, A_7, A_6, A_5, A_4, A_3, A_2, A_1, A_0};
  wire [15:0] b = {B_15, B_14, B_13, B_12, B_11, B_10, B_9, B_8, B_7, B_6, B_5, B_4, B_3, B_2, B_1, B_0};
  wire [31:0] addend = {C_15, C_14, C_13, C_12, C_11, C_10, C_9, C_8, C_7, C_6, C_5, C_4, C_3, C_2, C_1, C_0, D_15, D_14, D_13, D_12, D_11, D_10, D_9, D_8, D_7, D_6, D_5, D_4, D_3, D_2, D_1, D_0};
  wire signed [16:0] wide_a = {A_SIGNED[0] & a[15], a};
  wire signed [16:0] wide_b = {B_SIGNED[0] & b[15], b};
  wire signed [33:0] product = wide_a * wide_b;
  assign {CO, ACCUMCO, SIGNEXTOUT} = 3'b000;
  assign {O_31, O_30, O_29, O_28, O_27, O_26, O_25, O_24, O_23, O_22, O_21, O_20, O_19, O_18, O_17, O_16, O_15, O_14, O_13, O_12, O_11, O_10, O_9, O_8, O_7, O_6, O_5, O_4, O_3, O_2, O_1, O_0} = product[31:0] + (ADDS ? addend : 32'd0);
endmodule
