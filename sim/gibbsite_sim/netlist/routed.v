// What stands around a routed board in simulation: a registered line. A board has no reset but that of its
// configuration, so `rst` does nothing.

module gibbsite_bench(
    input clk,
    input rst,
    input rx,
    output tx,
    output [1023:0] toggles  // 64 bits a type of cell, see toggles.py
);
    reg line = 1;
    always @(posedge clk) line <= rx;
    gibbsite_routed device(.clk(clk), .rx(line), .tx(tx), .toggles(toggles));
endmodule
