"""Co-simulation: our Verilog under cocotb, compared with the golden models bit by bit."""
