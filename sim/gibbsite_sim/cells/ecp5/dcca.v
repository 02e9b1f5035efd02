// The buffer in front of a global clock line of ECP5, which here always lets the clock pass.

module DCCA(input CLKI, CE, output CLKO);
  assign CLKO = CLKI;
  always @(posedge CLKI) if (!CE) $fatal(1, "DCCA: a clock that stops is not modelled");
endmodule
