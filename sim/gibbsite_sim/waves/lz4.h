// The two functions of LZ4 that the waveform writer calls, so that no development package is needed.
//
// Greedy parsing with a hash of four bytes, in the LZ4 block format: sequences of (token, literals,
// offset, match length), the last of which is literals only. The last 5 bytes are always literals and
// the last match starts at least 12 bytes before the end. Source: lz4_Block_format.md.

#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

namespace gibbsite_lz4 {

inline unsigned char* length(unsigned char* out, int rest) {
    for (; rest >= 255; rest -= 255) *out++ = 255;
    *out++ = static_cast<unsigned char>(rest);
    return out;
}

inline unsigned char* literals(unsigned char* out, const char* from, int n, int match_nibble) {
    *out++ = static_cast<unsigned char>((n < 15 ? n : 15) << 4 | match_nibble);
    if (n >= 15) out = length(out, n - 15);
    std::memcpy(out, from, static_cast<size_t>(n));
    return out + n;
}

inline uint32_t word(const char* at) {
    uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

}  // namespace gibbsite_lz4

inline int LZ4_compress_default(const char* from, char* to, int size, int capacity) {
    using namespace gibbsite_lz4;
    constexpr int MINIMUM = 4, LAST_LITERALS = 5, LAST_MATCH = 12, BITS = 14, FARTHEST = 65535;
    if (capacity < LZ4_compressBound(size)) return 0;
    unsigned char* const begin = reinterpret_cast<unsigned char*>(to);
    unsigned char* out = begin;
    std::vector<int> seen(1 << BITS, -1);
    int anchor = 0;
    for (int i = 0; i + LAST_MATCH <= size;) {
        const uint32_t here = word(from + i);
        int& slot = seen[(here * 2654435761U) >> (32 - BITS)];
        const int match = slot;
        slot = i;
        if (match < 0 || i - match > FARTHEST || word(from + match) != here) {
            ++i;
            continue;
        }
        int n = MINIMUM;
        while (i + n < size - LAST_LITERALS && from[i + n] == from[match + n]) ++n;
        const int extra = n - MINIMUM;
        out = literals(out, from + anchor, i - anchor, extra < 15 ? extra : 15);
        *out++ = static_cast<unsigned char>(i - match);
        *out++ = static_cast<unsigned char>((i - match) >> 8);
        if (extra >= 15) out = length(out, extra - 15);
        i += n;
        anchor = i;
    }
    out = literals(out, from + anchor, size - anchor, 0);
    return static_cast<int>(out - begin);
}
