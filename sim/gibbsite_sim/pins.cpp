// A Verilated device on two pins as a C library: bytes in, bytes out, every bit of both lines driven.
//
// The top has `clk`, `rst`, `rx` and `tx`. Bytes that the host queues are put on `rx` bit by bit, each
// GIBBSITE_DIVISOR cycles long; `tx` is sampled in the middle of its bits. Noise flips the line for a
// cycle (a glitch) or for a bit, in parts per million of all bits, idle ones too. One model is used by
// one thread at a time. Twin: `gibbsite_sim.pins`, which declares the same functions.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vdevice.h"
#include "verilated.h"

namespace {

constexpr uint64_t DIVISOR = GIBBSITE_DIVISOR;
constexpr int BITS = 10;  // of a byte on the line: start, eight of data, stop

struct Random {  // xorshift64*, seeded through splitmix64; only for noise
    uint64_t state;
    explicit Random(uint64_t seed) {
        uint64_t z = seed + 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        state = (z ^ (z >> 31)) | 1;
    }
    uint32_t next() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return static_cast<uint32_t>((state * 0x2545F4914F6CDD1DULL) >> 32);
    }
    bool chance(uint32_t ppm) { return ppm != 0 && next() % 1000000 < ppm; }
};

// One line with its noise: which level an end sees in this cycle.
struct Noise {
    uint32_t flips = 0, glitches = 0;  // parts per million of bits
    uint64_t left = 0;                 // cycles of the bit that the dice were thrown for
    uint64_t from = 0, to = 0;         // where in it the level is turned
    uint64_t count = 0;

    bool seen(bool level, Random& random) {
        if (left == 0) {
            left = DIVISOR;
            from = to = 0;
            if (random.chance(flips)) {
                from = DIVISOR;
                ++count;
            } else if (random.chance(glitches)) {
                from = 1 + random.next() % DIVISOR;
                to = from - 1;
                ++count;
            }
        }
        const bool turned = left <= from && left > to;
        --left;
        return level != turned;
    }
};

}  // namespace

struct gibbsite_pins {
    VerilatedContext context;
    std::unique_ptr<Vdevice> top;
    Random random{0};
    Noise noise_in, noise_out;
    std::deque<uint8_t> input;
    std::vector<uint8_t> output;
    uint64_t cycles = 0;
    uint64_t in_left = 0;    // cycles of the byte that is on rx
    uint32_t in_bits = 0;    // its bits, the stop bit at the top
    uint64_t out_wait = 0;   // cycles until tx is sampled next; 0: waits for a start bit
    int out_bit = 0;
    uint32_t out_bits = 0;
    uint64_t dropped = 0;    // bytes of tx without a stop bit

    void edge(uint8_t level) {
        top->clk = level;
        top->eval();
    }

    bool rx() {
        if (in_left == 0) {
            if (input.empty()) return true;
            in_bits = static_cast<uint32_t>(input.front()) << 1 | 1u << (BITS - 1);
            in_left = BITS * DIVISOR;
            input.pop_front();
        }
        const uint64_t bit = BITS - 1 - (in_left - 1) / DIVISOR;
        --in_left;
        return in_bits >> bit & 1;
    }

    void tx(bool level) {
        if (out_wait == 0) {
            if (level) return;
            out_wait = DIVISOR + DIVISOR / 2;  // to the middle of the first bit of data
            out_bit = 0;
            out_bits = 0;
            return;
        }
        if (--out_wait != 0) return;
        if (out_bit == BITS - 2) {
            if (level) output.push_back(static_cast<uint8_t>(out_bits));
            else ++dropped;
            return;
        }
        out_bits |= static_cast<uint32_t>(level) << out_bit++;
        out_wait = DIVISOR;
    }

    void cycle() {
        top->rx = noise_in.seen(rx(), random);
        edge(0);
        tx(noise_out.seen(top->tx, random));
        edge(1);
        ++cycles;
    }
};

extern "C" {

gibbsite_pins* gibbsite_pins_create() {
    auto pins = std::make_unique<gibbsite_pins>();
    pins->context.randReset(0);
    pins->top = std::make_unique<Vdevice>(&pins->context, "gibbsite");
    return pins.release();
}

void gibbsite_pins_destroy(gibbsite_pins* pins) {
    pins->top->final();
    delete pins;
}

// Hold `rst` for some cycles; memories keep what they hold, and so do the lines, as on a board.
void gibbsite_pins_reset(gibbsite_pins* pins) {
    pins->top->rst = 1;
    for (int i = 0; i < 4; ++i) pins->cycle();
    pins->top->rst = 0;
    for (int i = 0; i < 2; ++i) pins->cycle();
}

void gibbsite_pins_send(gibbsite_pins* pins, const uint8_t* bytes, size_t n) {
    pins->input.insert(pins->input.end(), bytes, bytes + n);
}

// Parts per million of the bits of each line: turned whole, or for a cycle of their time.
void gibbsite_pins_noise(gibbsite_pins* pins, uint64_t seed, uint32_t flips, uint32_t glitches) {
    pins->random = Random(seed);
    pins->noise_in.flips = pins->noise_out.flips = flips;
    pins->noise_in.glitches = pins->noise_out.glitches = glitches;
}

void gibbsite_pins_advance(gibbsite_pins* pins, uint64_t cycles) {
    for (; cycles != 0; --cycles) pins->cycle();
}

size_t gibbsite_pins_ready(const gibbsite_pins* pins) { return pins->output.size(); }

// Move all received bytes out.
void gibbsite_pins_take(gibbsite_pins* pins, uint8_t* bytes) {
    std::memcpy(bytes, pins->output.data(), pins->output.size());
    pins->output.clear();
}

// Bytes that are queued for `rx` and not yet on it, to their last bit.
size_t gibbsite_pins_queued(const gibbsite_pins* pins) {
    return pins->input.size() + (pins->in_left != 0);
}

uint64_t gibbsite_pins_cycles(const gibbsite_pins* pins) { return pins->cycles; }

// Bits that noise has turned so far, on both lines.
uint64_t gibbsite_pins_turned(const gibbsite_pins* pins) {
    return pins->noise_in.count + pins->noise_out.count;
}

#ifdef GIBBSITE_TOGGLES
// Changes of the nets that cells of this type drive, since the model was made.
uint64_t gibbsite_pins_toggles(const gibbsite_pins* pins, uint32_t type) {
    return static_cast<uint64_t>(pins->top->toggles[2 * type + 1]) << 32 | pins->top->toggles[2 * type];
}
#endif

}  // extern "C"
