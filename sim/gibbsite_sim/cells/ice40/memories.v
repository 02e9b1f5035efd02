// Memories of iCE40 as nextpnr leaves them after place and route.
//
// Source: Lattice, Memory Usage Guide for iCE40 Devices, FPGA-TN-02002; iCE40 UltraPlus SPRAM Usage Guide,
// FPGA-TN-02022. A mode that is not described here ends the simulation.

// 4096 bits, 256 words of 16. WRITE_MODE and READ_MODE are 0 to 3 for words of 16, 8, 4, 2 bits. A narrower word
// lies in every 2nd, 4th, 8th bit of a word of 16, chosen by the upper bits of the address, and its pins are the
// first of these bits moved by half, a quarter ... as below. MASK is per bit, 1 keeps, and counts in mode 0 alone.
// A word that is read while it is written is nobody's promise: all its bits are turned, so that whoever
// depends on it is wrong.
module ICESTORM_RAM(
  input RCLK, RCLKE, RE, WCLK, WCLKE, WE,
  input RADDR_0, RADDR_1, RADDR_2, RADDR_3, RADDR_4, RADDR_5, RADDR_6, RADDR_7, RADDR_8, RADDR_9, RADDR_10,
  input WADDR_0, WADDR_1, WADDR_2, WADDR_3, WADDR_4, WADDR_5, WADDR_6, WADDR_7, WADDR_8, WADDR_9, WADDR_10,
  input MASK_0, MASK_1, MASK_2, MASK_3, MASK_4, MASK_5, MASK_6, MASK_7,
  input MASK_8, MASK_9, MASK_10, MASK_11, MASK_12, MASK_13, MASK_14, MASK_15,
  input WDATA_0, WDATA_1, WDATA_2, WDATA_3, WDATA_4, WDATA_5, WDATA_6, WDATA_7,
  input WDATA_8, WDATA_9, WDATA_10, WDATA_11, WDATA_12, WDATA_13, WDATA_14, WDATA_15,
  output RDATA_0, RDATA_1, RDATA_2, RDATA_3, RDATA_4, RDATA_5, RDATA_6, RDATA_7,
  output RDATA_8, RDATA_9, RDATA_10, RDATA_11, RDATA_12, RDATA_13, RDATA_14, RDATA_15
);
  parameter [31:0] READ_MODE = 0, WRITE_MODE = 0;
  parameter [0:0] NEG_CLK_R = 0, NEG_CLK_W = 0;
  parameter [255:0] INIT_0 = 0, INIT_1 = 0, INIT_2 = 0, INIT_3 = 0, INIT_4 = 0, INIT_5 = 0, INIT_6 = 0, INIT_7 = 0;
  parameter [255:0] INIT_8 = 0, INIT_9 = 0, INIT_A = 0, INIT_B = 0, INIT_C = 0, INIT_D = 0, INIT_E = 0, INIT_F = 0;
  initial if (NEG_CLK_R || NEG_CLK_W || READ_MODE > 3 || WRITE_MODE > 3)
    $fatal(1, "ICESTORM_RAM: mode is not modelled");
  wire [10:0] raddr = {RADDR_10, RADDR_9, RADDR_8, RADDR_7, RADDR_6, RADDR_5, RADDR_4, RADDR_3, RADDR_2, RADDR_1, RADDR_0};
  wire [10:0] waddr = {WADDR_10, WADDR_9, WADDR_8, WADDR_7, WADDR_6, WADDR_5, WADDR_4, WADDR_3, WADDR_2, WADDR_1, WADDR_0};
  wire [15:0] wdata = {WDATA_15, WDATA_14, WDATA_13, WDATA_12, WDATA_11, WDATA_10, WDATA_9, WDATA_8,
                       WDATA_7, WDATA_6, WDATA_5, WDATA_4, WDATA_3, WDATA_2, WDATA_1, WDATA_0};
  wire [15:0] mask = {MASK_15, MASK_14, MASK_13, MASK_12, MASK_11, MASK_10, MASK_9, MASK_8,
                      MASK_7, MASK_6, MASK_5, MASK_4, MASK_3, MASK_2, MASK_1, MASK_0};
  // pins of narrow words: even ones 0, 2, ... 14; 1, 5, 9, 13; 3, 11
  reg [15:0] chosen, spread;
  integer n;
  always @* begin
    case (WRITE_MODE)
      0: begin chosen = ~mask; spread = wdata; end
      1: begin chosen = 16'h5555 << waddr[8]; for (n = 0; n < 8; n = n + 1) spread[2 * n +: 2] = {2{wdata[2 * n]}}; end
      2: begin chosen = 16'h1111 << waddr[9:8]; for (n = 0; n < 4; n = n + 1) spread[4 * n +: 4] = {4{wdata[4 * n + 1]}}; end
      default: begin chosen = 16'h0101 << waddr[10:8]; for (n = 0; n < 2; n = n + 1) spread[8 * n +: 8] = {8{wdata[8 * n + 3]}}; end
    endcase
  end
  reg [15:0] words [0:255];
  wire [4095:0] first = {INIT_F, INIT_E, INIT_D, INIT_C, INIT_B, INIT_A, INIT_9, INIT_8,
                         INIT_7, INIT_6, INIT_5, INIT_4, INIT_3, INIT_2, INIT_1, INIT_0};
  integer k;
  initial for (k = 0; k < 256; k = k + 1) words[k] = first[16 * k +: 16];
  wire writes = WE & WCLKE;
  reg [15:0] read = 0;
  reg [10:0] place = 0;
  wire collides = writes && raddr[7:0] == waddr[7:0];
  always @(posedge WCLK) if (writes) words[waddr[7:0]] <= words[waddr[7:0]] & ~chosen | spread & chosen;
  always @(posedge RCLK) if (RE & RCLKE) begin
    read <= words[raddr[7:0]] ^ (collides ? chosen : 16'h0);
    place <= raddr;
  end
  reg [15:0] out;
  integer r;
  always @* begin
    out = 0;
    case (READ_MODE)
      0: out = read;
      1: for (r = 0; r < 8; r = r + 1) out[2 * r] = read[2 * r + place[8]];
      2: for (r = 0; r < 4; r = r + 1) out[4 * r + 1] = read[4 * r + place[9:8]];
      default: for (r = 0; r < 2; r = r + 1) out[8 * r + 3] = read[8 * r + place[10:8]];
    endcase
  end
  assign {RDATA_15, RDATA_14, RDATA_13, RDATA_12, RDATA_11, RDATA_10, RDATA_9, RDATA_8,
          RDATA_7, RDATA_6, RDATA_5, RDATA_4, RDATA_3, RDATA_2, RDATA_1, RDATA_0} = out;
endmodule

// 16,384 words of 16 bits behind one port. While it writes, its output stays. MASKWREN lets four bits each through.
module ICESTORM_SPRAM(
  input CLOCK, CHIPSELECT, WREN, STANDBY, SLEEP, POWEROFF, MASKWREN_0, MASKWREN_1, MASKWREN_2, MASKWREN_3,
  input ADDRESS_0, ADDRESS_1, ADDRESS_2, ADDRESS_3, ADDRESS_4, ADDRESS_5, ADDRESS_6, ADDRESS_7,
  input ADDRESS_8, ADDRESS_9, ADDRESS_10, ADDRESS_11, ADDRESS_12, ADDRESS_13,
  input DATAIN_0, DATAIN_1, DATAIN_2, DATAIN_3, DATAIN_4, DATAIN_5, DATAIN_6, DATAIN_7,
  input DATAIN_8, DATAIN_9, DATAIN_10, DATAIN_11, DATAIN_12, DATAIN_13, DATAIN_14, DATAIN_15,
  output DATAOUT_0, DATAOUT_1, DATAOUT_2, DATAOUT_3, DATAOUT_4, DATAOUT_5, DATAOUT_6, DATAOUT_7,
  output DATAOUT_8, DATAOUT_9, DATAOUT_10, DATAOUT_11, DATAOUT_12, DATAOUT_13, DATAOUT_14, DATAOUT_15
);
  wire [13:0] address = {ADDRESS_13, ADDRESS_12, ADDRESS_11, ADDRESS_10, ADDRESS_9, ADDRESS_8, ADDRESS_7,
                         ADDRESS_6, ADDRESS_5, ADDRESS_4, ADDRESS_3, ADDRESS_2, ADDRESS_1, ADDRESS_0};
  wire [15:0] datain = {DATAIN_15, DATAIN_14, DATAIN_13, DATAIN_12, DATAIN_11, DATAIN_10, DATAIN_9, DATAIN_8,
                        DATAIN_7, DATAIN_6, DATAIN_5, DATAIN_4, DATAIN_3, DATAIN_2, DATAIN_1, DATAIN_0};
  wire [15:0] through = {{4{MASKWREN_3}}, {4{MASKWREN_2}}, {4{MASKWREN_1}}, {4{MASKWREN_0}}};
  reg [15:0] words [0:16383];
  reg [15:0] out;
  always @(posedge CLOCK) begin
    if (STANDBY || SLEEP || !POWEROFF) $fatal(1, "ICESTORM_SPRAM: a sleeping memory is not modelled");
    if (CHIPSELECT) begin
      if (WREN) words[address] <= words[address] & ~through | datain & through;
      else out <= words[address];
    end
  end
  assign {DATAOUT_15, DATAOUT_14, DATAOUT_13, DATAOUT_12, DATAOUT_11, DATAOUT_10, DATAOUT_9, DATAOUT_8,
          DATAOUT_7, DATAOUT_6, DATAOUT_5, DATAOUT_4, DATAOUT_3, DATAOUT_2, DATAOUT_1, DATAOUT_0} = out;
endmodule
