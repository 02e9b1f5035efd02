// The Verilated shell as a C library: packets in, packets out, a whole run per call.
//
// The host queues words and asks for packets; `gibbsite_step` clocks the model until they are there,
// a limit is reached, or nothing can come any more. One model is used by one thread at a time; several
// models may run side by side. Twin: `gibbsite_sim.library`, which declares the same functions.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "Vdevice.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

namespace {

// Kinds of response and the one opcode that the end of a run depends on, without the engine's number in
// bits 6:5 (gibbsite_hw.spec.packets).
constexpr uint32_t RUN = 0x1E, OK = 0x80, ERROR = 0x81, INFO = 0x82, DONE = 0x84, ABORTED = 0x85;
constexpr uint32_t ENGINE_FIELD = 0x60;
constexpr int ENGINE_SHIFT = 5;
constexpr int ENGINES = 4;                     // numbers that the field can hold
constexpr int PRESENT = GIBBSITE_ENGINES;      // bit n: the device holds engine n
static_assert(PRESENT > 0 && PRESENT < 1 << ENGINES);
constexpr uint64_t CLOCK_CHECK = 1024;  // cycles between looks at the wall clock
constexpr uint64_t PERIOD = 10;         // time units of a clock period in waveforms

enum Status { PACKETS = 0, WORDS = 1, TIME = 2, IDLE = 3, STUCK = 4 };

// Which engine a command goes to and an answer comes from: the one that is named, else the first.
constexpr int engine_of(uint32_t code) {
    const int named = static_cast<int>((code & ENGINE_FIELD) >> ENGINE_SHIFT);
    if (PRESENT >> named & 1) return named;
    int first = 0;
    while (!(PRESENT >> first & 1)) ++first;
    return first;
}

struct Random {  // xorshift64*, seeded through splitmix64; only for stalls
    uint64_t state;
    explicit Random(uint64_t seed) {
        uint64_t z = seed + 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        state = (z ^ (z >> 31)) | 1;
    }
    uint32_t byte() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return static_cast<uint32_t>((state * 0x2545F4914F6CDD1DULL) >> 56);
    }
};

}  // namespace

struct gibbsite_model {
    VerilatedContext context;
    std::unique_ptr<Vdevice> top;
#if VM_TRACE_FST
    std::unique_ptr<VerilatedFstC> trace;
#endif
    std::deque<uint64_t> input;        // word, and `last` in bit 32, as on the port
    std::deque<uint32_t> asked[ENGINES];  // opcodes of each engine's commands without their answer
    std::vector<uint32_t> words;       // what came out
    std::vector<uint32_t> ends;        // where its packets end
    uint64_t cycles = 0;
    uint64_t quiet = 0;                // cycles since a word moved while no run went on
    uint32_t header = 0;
    bool head_in = true;               // the next word in starts a packet
    bool head_out = true;
    bool running[ENGINES] = {};
    bool offered = false;              // a word is on the port: it must stay until it is taken
    uint32_t stall_command = 0, stall_response = 0;  // chances in 256
    Random random{0};

    void edge(uint8_t level) {
        top->clk = level;
        top->eval();
#if VM_TRACE_FST
        if (trace) {
            trace->dump(context.time());
            context.timeInc(PERIOD / 2);
        }
#endif
    }

    void packet_came() {
        const uint32_t kind = header >> 24 & ~ENGINE_FIELD;
        const int engine = engine_of(header >> 24);
        ends.push_back(static_cast<uint32_t>(words.size()));
        if (kind == DONE || kind == ABORTED) {
            running[engine] = false;
        } else if ((kind == OK || kind == ERROR || kind == INFO) && !asked[engine].empty()) {
            if (kind == OK && asked[engine].front() == RUN) running[engine] = true;
            asked[engine].pop_front();
        }
    }

    bool runs() const {
        for (const bool one : running) if (one) return true;
        return false;
    }

    bool owes() const {
        for (const auto& queue : asked) if (!queue.empty()) return true;
        return false;
    }

    void cycle() {
        if (!offered && !input.empty()) {
            offered = stall_command == 0 || random.byte() >= stall_command;
        }
        const bool take = stall_response == 0 || random.byte() >= stall_response;
        top->command_valid = offered;
        top->command_payload = offered ? input.front() : 0;
        top->response_ready = take;
        edge(0);
        const bool sent = offered && top->command_ready;
        const bool came = take && top->response_valid;
        const uint64_t out = top->response_payload;
        edge(1);
        ++cycles;
        ++quiet;
        if (sent) {
            input.pop_front();
            offered = false;
            quiet = 0;
        }
        if (came) {
            const uint32_t word = static_cast<uint32_t>(out);
            if (head_out) header = word;
            words.push_back(word);
            head_out = out >> 32 & 1;
            if (head_out) packet_came();
            quiet = 0;
        }
    }
};

extern "C" {

gibbsite_model* gibbsite_create(const char* waves) {
    auto model = std::make_unique<gibbsite_model>();
    model->context.randReset(0);
#if VM_TRACE_FST
    model->context.traceEverOn(true);
#endif
    model->top = std::make_unique<Vdevice>(&model->context, "gibbsite");
    if (waves != nullptr) {
#if VM_TRACE_FST
        model->trace = std::make_unique<VerilatedFstC>();
        model->top->trace(model->trace.get(), 99);
        model->trace->open(waves);
        if (!model->trace->isOpen()) return nullptr;
#else
        return nullptr;
#endif
    }
    return model.release();
}

void gibbsite_destroy(gibbsite_model* model) {
#if VM_TRACE_FST
    if (model->trace) model->trace->close();
#endif
    model->top->final();
    delete model;
}

void gibbsite_flush(gibbsite_model* model) {
#if VM_TRACE_FST
    if (model->trace) model->trace->flush();
#else
    (void)model;
#endif
}

// Hold `rst` for some cycles and forget every queue; memories keep what they hold, as on a board.
void gibbsite_reset(gibbsite_model* model) {
    model->input.clear();
    for (int engine = 0; engine < ENGINES; ++engine) {
        model->asked[engine].clear();
        model->running[engine] = false;
    }
    model->words.clear();
    model->ends.clear();
    model->head_in = model->head_out = true;
    model->offered = false;
    model->top->command_valid = 0;
    model->top->response_ready = 0;
    for (int i = 0; i < 6; ++i) {
        model->top->rst = i < 4;  // and two cycles until the registered reset is over
        model->edge(0);
        model->edge(1);
        ++model->cycles;
    }
    model->quiet = 0;
}

void gibbsite_send(gibbsite_model* model, const uint32_t* words, const uint8_t* lasts, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        const bool last = lasts != nullptr ? lasts[i] != 0 : i + 1 == n;
        if (model->head_in) {
            const uint32_t opcode = words[i] >> 24;
            model->asked[engine_of(opcode)].push_back(opcode & ~ENGINE_FIELD);
        }
        model->head_in = last;
        model->input.push_back(words[i] | static_cast<uint64_t>(last) << 32);
    }
    model->quiet = 0;
}

void gibbsite_stall(gibbsite_model* model, uint64_t seed, uint32_t command, uint32_t response) {
    model->random = Random(seed);
    model->stall_command = command;
    model->stall_response = response;
}

// Clock the model until `packets` packets or `words` words lie ready, `milliseconds` have passed, or
// nothing can come. `patience`: cycles without a word, outside of runs, after which it is stuck.
int gibbsite_step(gibbsite_model* model, size_t packets, size_t words, uint64_t milliseconds,
                  uint64_t patience) {
    using clock = std::chrono::steady_clock;
    const auto deadline = clock::now() + std::chrono::milliseconds(milliseconds);
    for (uint64_t n = 1;; ++n) {
        if (model->ends.size() >= packets) return PACKETS;
        if (model->words.size() >= words && !model->ends.empty()) return WORDS;
        if (!model->owes() && !model->runs() && model->head_out) return IDLE;
        if (model->quiet > patience && !model->runs()) {
            model->quiet = 0;
            return STUCK;
        }
        if (n % CLOCK_CHECK == 0 && clock::now() >= deadline) return TIME;
        model->cycle();
    }
}

// Clock the model for `cycles` cycles, whatever comes, or until `milliseconds` have passed; gives the
// cycles that are left.
uint64_t gibbsite_advance(gibbsite_model* model, uint64_t cycles, uint64_t milliseconds) {
    using clock = std::chrono::steady_clock;
    const auto deadline = clock::now() + std::chrono::milliseconds(milliseconds);
    while (cycles != 0) {
        if (cycles % CLOCK_CHECK == 0 && clock::now() >= deadline) break;
        model->cycle();
        --cycles;
    }
    return cycles;
}

size_t gibbsite_packets(const gibbsite_model* model) { return model->ends.size(); }

// Words of the packets that are complete.
size_t gibbsite_words(const gibbsite_model* model) {
    return model->ends.empty() ? 0 : model->ends.back();
}

// Move all complete packets out: their words one behind the other, and where each ends.
void gibbsite_take(gibbsite_model* model, uint32_t* words, uint32_t* ends) {
    const size_t n = gibbsite_words(model);
    if (model->ends.empty()) return;
    std::memcpy(words, model->words.data(), n * sizeof(uint32_t));
    std::memcpy(ends, model->ends.data(), model->ends.size() * sizeof(uint32_t));
    model->words.erase(model->words.begin(), model->words.begin() + static_cast<std::ptrdiff_t>(n));
    model->ends.clear();
}

uint64_t gibbsite_cycles(const gibbsite_model* model) { return model->cycles; }

}  // extern "C"
