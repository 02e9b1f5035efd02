// The two functions of zlib that the waveform writer calls, so that no development package is needed.
//
// The stream holds stored blocks only (RFC 1950, RFC 1951 section 3.2.4); the writer keeps whatever is
// smaller, so its data then stay as they are. What takes room, the value changes, goes through LZ4.

#pragma once

#include <cstdint>
#include <cstring>

using Bytef = unsigned char;
using uLong = unsigned long;
using uLongf = unsigned long;
constexpr int Z_OK = 0, Z_BUF_ERROR = -5;

namespace gibbsite_zlib {
constexpr uLong BLOCK = 65535;
}

inline uLong compressBound(uLong size) {
    return size + 5 * (size / gibbsite_zlib::BLOCK + 1) + 6;
}

inline int compress2(Bytef* to, uLongf* to_size, const Bytef* from, uLong size, int) {
    using gibbsite_zlib::BLOCK;
    if (*to_size < compressBound(size)) return Z_BUF_ERROR;
    Bytef* out = to;
    *out++ = 0x78;
    *out++ = 0x01;
    uint32_t a = 1, b = 0;  // Adler-32
    uLong done = 0;
    do {
        const uLong n = size - done < BLOCK ? size - done : BLOCK;
        *out++ = done + n == size;
        *out++ = static_cast<Bytef>(n);
        *out++ = static_cast<Bytef>(n >> 8);
        *out++ = static_cast<Bytef>(~n);
        *out++ = static_cast<Bytef>(~n >> 8);
        std::memcpy(out, from + done, n);
        out += n;
        for (uLong i = 0; i < n; ++i) {
            a = (a + from[done + i]) % 65521;
            b = (b + a) % 65521;
        }
        done += n;
    } while (done < size);
    for (const uint32_t half : {b, a}) {
        *out++ = static_cast<Bytef>(half >> 8);
        *out++ = static_cast<Bytef>(half);
    }
    *to_size = static_cast<uLongf>(out - to);
    return Z_OK;
}
