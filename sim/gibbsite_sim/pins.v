// What stands around a device on two pins in simulation: a registered reset and a registered line, so that
// no logic of the device is reached from outside within a cycle.

module gibbsite_bench(
    input clk,
    input rst,
    input rx,
    output tx
);
    reg reset = 1, line = 1;
    always @(posedge clk) begin
        reset <= rst;
        line <= rx;
    end
    gibbsite_serial device(.clk(clk), .rst(reset), .rx(line), .tx(tx));
endmodule
