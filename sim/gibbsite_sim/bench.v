// What stands around the shell in simulation: two words of buffer on each stream, and a registered reset.
//
// The simulator evaluates all logic that an input of the top can reach twice a cycle, whether the input
// changed or not. Behind these registers no logic of the shell is reached from outside;
// the streams carry the same words in the same order, and stalls still reach the shell.

module gibbsite_bench(
    input clk,
    input rst,
    input command_valid,
    input [32:0] command_payload,
    output command_ready,
    output response_valid,
    output [32:0] response_payload,
    input response_ready
);
    wire in_valid, in_ready, out_valid, out_ready;
    wire [32:0] in_payload, out_payload;
    reg reset = 1;
    always @(posedge clk) reset <= rst;

    gibbsite_buffer command(
        clk, reset, command_valid, command_payload, command_ready, in_valid, in_payload, in_ready);
    gibbsite_device shell(
        .clk(clk),
        .rst(reset),
        .command__valid(in_valid),
        .command__payload(in_payload),
        .command__ready(in_ready),
        .response__valid(out_valid),
        .response__payload(out_payload),
        .response__ready(out_ready)
    );
    gibbsite_buffer response(
        clk, reset, out_valid, out_payload, out_ready, response_valid, response_payload, response_ready);
endmodule

// A stream through two words of memory; no path from one side to the other within a cycle.
module gibbsite_buffer(
    input clk,
    input rst,
    input in_valid,
    input [32:0] in_payload,
    output in_ready,
    output out_valid,
    output [32:0] out_payload,
    input out_ready
);
    reg [32:0] first = 0, second = 0;
    reg [1:0] count = 0;
    wire push = in_valid && in_ready;
    wire pop = out_valid && out_ready;
    assign in_ready = count != 2;
    assign out_valid = count != 0;
    assign out_payload = first;
    always @(posedge clk) begin
        if (pop) first <= count == 2 ? second : in_payload;
        else if (count == 0) first <= in_payload;
        if (push) second <= in_payload;
        count <= rst ? 2'd0 : count + {1'b0, push} - {1'b0, pop};
    end
endmodule
