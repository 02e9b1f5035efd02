// The block memory of ECP5 after place and route: what Lattice's guide says of it, for the modes in use.
//
// Source: Lattice, ECP5 and ECP5-5G Memory Usage Guide, FPGA-TN-02204: true dual port (tables of address
// and data widths, write modes) and pseudo dual port, whose 36-bit words take the data pins of both ports.
// A mode that is not described here ends the simulation: a netlist that uses it was not understood.
//
//   width    word    of the 18-bit row AD[13:4]                    36: rows 2 AD[13:5] and the one after it
//     18     AD[13:4]   all; on writing AD[0] and AD[1] enable the low and the high nine bits
//      9     AD[13:3]   nine bits from 9 AD[3]
//      4     AD[13:2]   four bits from 9 AD[3] + 4 AD[2]
//      2     AD[13:1]   two bits from 9 AD[3] + 2 AD[2:1]
//      1     AD[13:0]   one bit at 9 AD[3] + AD[2:0]
//
// What a port reads while the other one writes the same bits in the same cycle is not promised by anybody;
// here it is every bit turned, so that a design which uses it goes wrong visibly.
//
// Tested against the guide in tests/unit/test_cells.py.

module DP16KD(
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
  input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
  input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
  input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter WEAMUX = "WEA", WEBMUX = "WEB", CEAMUX = "CEA", CEBMUX = "CEB";
  parameter OCEAMUX = "OCEA", OCEBMUX = "OCEB", RSTAMUX = "RSTA", RSTBMUX = "RSTB";
  parameter GSR = "DISABLED", WID = 0;
  parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0;
  parameter [319:0] INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0;
  parameter [319:0] INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0;
  parameter [319:0] INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0;
  parameter [319:0] INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0;
  parameter [319:0] INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0;
  parameter [319:0] INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0;
  parameter [319:0] INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0;
  parameter [319:0] INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0;
  parameter [319:0] INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0;
  parameter [319:0] INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0;
  parameter [319:0] INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0;
  parameter [319:0] INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0;
  parameter [319:0] INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0;
  parameter [319:0] INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0;
  parameter [319:0] INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;

  // Pseudo dual port: A writes 36 bits on the data pins of both, B reads them.
  localparam WIDE = DATA_WIDTH_A == 36 || DATA_WIDTH_B == 36;

  initial begin
    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG") $fatal(1, "DP16KD: output registers are not modelled");
    if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000") $fatal(1, "DP16KD: CSDECODE is not modelled");
    if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB") $fatal(1, "DP16KD: inverted clocks are not modelled");
    if (WEAMUX != "WEA" || WEBMUX != "WEB" || CEAMUX != "CEA" || CEBMUX != "CEB"
        || OCEAMUX != "OCEA" || OCEBMUX != "OCEB" || RSTAMUX != "RSTA" || RSTBMUX != "RSTB")
      $fatal(1, "DP16KD: inverted enables and resets are not modelled");
    if (!(DATA_WIDTH_A == 1 || DATA_WIDTH_A == 2 || DATA_WIDTH_A == 4 || DATA_WIDTH_A == 9
          || DATA_WIDTH_A == 18 || DATA_WIDTH_A == 36)) $fatal(1, "DP16KD: width of A");
    if (!(DATA_WIDTH_B == 1 || DATA_WIDTH_B == 2 || DATA_WIDTH_B == 4 || DATA_WIDTH_B == 9
          || DATA_WIDTH_B == 18 || DATA_WIDTH_B == 36)) $fatal(1, "DP16KD: width of B");
    if (WRITEMODE_A != "NORMAL" && WRITEMODE_A != "WRITETHROUGH" && WRITEMODE_A != "READBEFOREWRITE")
      $fatal(1, "DP16KD: WRITEMODE_A");
    if (WRITEMODE_B != "NORMAL" && WRITEMODE_B != "WRITETHROUGH" && WRITEMODE_B != "READBEFOREWRITE")
      $fatal(1, "DP16KD: WRITEMODE_B");
    if (WIDE && (DATA_WIDTH_A != 36 || WRITEMODE_A != "NORMAL" || WRITEMODE_B != "NORMAL"))
      $fatal(1, "DP16KD: pseudo dual port with other than 36 bits to write, or a write mode");
  end

  reg [17:0] rows [0:1023];
  integer n;
  initial for (n = 0; n < 16; n = n + 1) begin
    rows[0 + n] = INITVAL_00[20 * n +: 18];
    rows[16 + n] = INITVAL_01[20 * n +: 18];
    rows[32 + n] = INITVAL_02[20 * n +: 18];
    rows[48 + n] = INITVAL_03[20 * n +: 18];
    rows[64 + n] = INITVAL_04[20 * n +: 18];
    rows[80 + n] = INITVAL_05[20 * n +: 18];
    rows[96 + n] = INITVAL_06[20 * n +: 18];
    rows[112 + n] = INITVAL_07[20 * n +: 18];
    rows[128 + n] = INITVAL_08[20 * n +: 18];
    rows[144 + n] = INITVAL_09[20 * n +: 18];
    rows[160 + n] = INITVAL_0A[20 * n +: 18];
    rows[176 + n] = INITVAL_0B[20 * n +: 18];
    rows[192 + n] = INITVAL_0C[20 * n +: 18];
    rows[208 + n] = INITVAL_0D[20 * n +: 18];
    rows[224 + n] = INITVAL_0E[20 * n +: 18];
    rows[240 + n] = INITVAL_0F[20 * n +: 18];
    rows[256 + n] = INITVAL_10[20 * n +: 18];
    rows[272 + n] = INITVAL_11[20 * n +: 18];
    rows[288 + n] = INITVAL_12[20 * n +: 18];
    rows[304 + n] = INITVAL_13[20 * n +: 18];
    rows[320 + n] = INITVAL_14[20 * n +: 18];
    rows[336 + n] = INITVAL_15[20 * n +: 18];
    rows[352 + n] = INITVAL_16[20 * n +: 18];
    rows[368 + n] = INITVAL_17[20 * n +: 18];
    rows[384 + n] = INITVAL_18[20 * n +: 18];
    rows[400 + n] = INITVAL_19[20 * n +: 18];
    rows[416 + n] = INITVAL_1A[20 * n +: 18];
    rows[432 + n] = INITVAL_1B[20 * n +: 18];
    rows[448 + n] = INITVAL_1C[20 * n +: 18];
    rows[464 + n] = INITVAL_1D[20 * n +: 18];
    rows[480 + n] = INITVAL_1E[20 * n +: 18];
    rows[496 + n] = INITVAL_1F[20 * n +: 18];
    rows[512 + n] = INITVAL_20[20 * n +: 18];
    rows[528 + n] = INITVAL_21[20 * n +: 18];
    rows[544 + n] = INITVAL_22[20 * n +: 18];
    rows[560 + n] = INITVAL_23[20 * n +: 18];
    rows[576 + n] = INITVAL_24[20 * n +: 18];
    rows[592 + n] = INITVAL_25[20 * n +: 18];
    rows[608 + n] = INITVAL_26[20 * n +: 18];
    rows[624 + n] = INITVAL_27[20 * n +: 18];
    rows[640 + n] = INITVAL_28[20 * n +: 18];
    rows[656 + n] = INITVAL_29[20 * n +: 18];
    rows[672 + n] = INITVAL_2A[20 * n +: 18];
    rows[688 + n] = INITVAL_2B[20 * n +: 18];
    rows[704 + n] = INITVAL_2C[20 * n +: 18];
    rows[720 + n] = INITVAL_2D[20 * n +: 18];
    rows[736 + n] = INITVAL_2E[20 * n +: 18];
    rows[752 + n] = INITVAL_2F[20 * n +: 18];
    rows[768 + n] = INITVAL_30[20 * n +: 18];
    rows[784 + n] = INITVAL_31[20 * n +: 18];
    rows[800 + n] = INITVAL_32[20 * n +: 18];
    rows[816 + n] = INITVAL_33[20 * n +: 18];
    rows[832 + n] = INITVAL_34[20 * n +: 18];
    rows[848 + n] = INITVAL_35[20 * n +: 18];
    rows[864 + n] = INITVAL_36[20 * n +: 18];
    rows[880 + n] = INITVAL_37[20 * n +: 18];
    rows[896 + n] = INITVAL_38[20 * n +: 18];
    rows[912 + n] = INITVAL_39[20 * n +: 18];
    rows[928 + n] = INITVAL_3A[20 * n +: 18];
    rows[944 + n] = INITVAL_3B[20 * n +: 18];
    rows[960 + n] = INITVAL_3C[20 * n +: 18];
    rows[976 + n] = INITVAL_3D[20 * n +: 18];
    rows[992 + n] = INITVAL_3E[20 * n +: 18];
    rows[1008 + n] = INITVAL_3F[20 * n +: 18];
  end

  // An asynchronous reset is modelled where it is never used.
  always @* if (RESETMODE != "SYNC" && (RSTA || RSTB)) $fatal(1, "DP16KD: RESETMODE must be SYNC");

  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [35:0] dia = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
                     DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] dib = dia[35:18];
  reg [35:0] qa = 0, qb = 0;

  // The bits of a row that an access of this width touches, and where its lowest one is.
  function [17:0] touched(input integer width, input [13:0] address, input enables);
    case (width)
      18: touched = enables ? {{9{address[1]}}, {9{address[0]}}} : 18'h3FFFF;
      36: touched = 18'h3FFFF;
      default: touched = ((18'd1 << width) - 18'd1) << offset(width, address);
    endcase
  endfunction

  function integer offset(input integer width, input [13:0] address);
    case (width)
      9: offset = 9 * address[3];
      4: offset = 9 * address[3] + 4 * address[2];
      2: offset = 9 * address[3] + 2 * address[2:1];
      1: offset = 9 * address[3] + address[2:0];
      default: offset = 0;
    endcase
  endfunction

  wire chosen_a = CEA && {CSA2, CSA1, CSA0} == 0;
  wire chosen_b = CEB && {CSB2, CSB1, CSB0} == 0;
  wire write_a = chosen_a && WEA;
  wire write_b = chosen_b && WEB && !WIDE;
  // Bytes of a 36-bit word are enabled by ADA[3:0].
  wire [17:0] mask_a = WIDE ? {{9{ada[1]}}, {9{ada[0]}}} : touched(DATA_WIDTH_A, ada, 1);
  wire [17:0] mask_a2 = {{9{ada[3]}}, {9{ada[2]}}};
  wire [17:0] mask_b = touched(DATA_WIDTH_B, adb, 1);
  wire [9:0] row_a = WIDE ? {ada[13:5], 1'b0} : ada[13:4];
  wire [9:0] row_b = DATA_WIDTH_B == 36 ? {adb[13:5], 1'b0} : adb[13:4];
  wire [17:0] put_a = WIDE ? dia[17:0] : dia[17:0] << offset(DATA_WIDTH_A, ada);
  wire [17:0] put_b = dib << offset(DATA_WIDTH_B, adb);

  wire [17:0] old_a = rows[row_a], old_b = rows[row_b], old_b2 = rows[row_b | 10'd1];
  wire [17:0] new_a = old_a & ~mask_a | put_a & mask_a;
  wire [17:0] new_b = old_b & ~mask_b | put_b & mask_b;
  wire [17:0] read_a = touched(DATA_WIDTH_A, ada, 0), read_b = touched(DATA_WIDTH_B, adb, 0);
  wire clash_a = write_b && row_b == row_a && |(mask_b & read_a);
  wire [17:0] mask_pair = DATA_WIDTH_B == 36 ? mask_a | mask_a2 : row_b[0] ? mask_a2 : mask_a;
  wire clash_b = write_a && (WIDE ? row_a[9:1] == row_b[9:1] && |(mask_pair & read_b)
                                  : row_a == row_b && |(mask_a & read_b));

  always @(posedge CLKA) begin
    if (write_a) begin
      rows[row_a] <= new_a;
      if (WIDE) rows[row_a | 10'd1] <= rows[row_a | 10'd1] & ~mask_a2 | dia[35:18] & mask_a2;
    end
    if (RSTA) qa <= 0;
    else if (chosen_a && (!WEA || WRITEMODE_A != "NORMAL") && !WIDE)
      qa <= {18'd0, (WEA && WRITEMODE_A == "WRITETHROUGH" ? new_a : clash_a ? ~old_a : old_a)
                     >> offset(DATA_WIDTH_A, ada)};
  end

  always @(posedge CLKB) begin
    if (write_b) rows[row_b] <= new_b;
    if (RSTB) qb <= 0;
    else if (chosen_b && (!WEB || WIDE || WRITEMODE_B != "NORMAL"))
      qb <= DATA_WIDTH_B == 36 ? {36{clash_b}} ^ {old_b2, old_b}
          : {18'd0, (WEB && !WIDE && WRITEMODE_B == "WRITETHROUGH" ? new_b : clash_b ? ~old_b : old_b)
                     >> offset(DATA_WIDTH_B, adb)};
  end

  localparam [17:0] SHOWN_A = 18'h3FFFF >> (18 - (DATA_WIDTH_A > 18 ? 18 : DATA_WIDTH_A));
  localparam [17:0] SHOWN_B = 18'h3FFFF >> (18 - (DATA_WIDTH_B > 18 ? 18 : DATA_WIDTH_B));
  // 36 bits: the low half on the pins of A, the high half on those of B; fewer bits on those of B.
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? qb[17:0] : qa[17:0] & SHOWN_A;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? qb[35:18] : qb[17:0] & SHOWN_B;
endmodule
