/* The draw for phased updates; see apt_policy.h. */
#include "base/str.h"
#include "collect/apt_policy.h"

#include <stdlib.h>

static uint32_t mix(uint32_t x)
{
    return x ^ (x >> 27);
}

/* [rand.util.seedseq]: generate() of n = 4 words (linear_congruential_engine asks for k + 3,
 * k = 1), of which only the last is used. */
static uint32_t seed_of(const uint8_t *v, size_t s)
{
    enum { N = 4, T = (N - 1) / 2, P = (N - T) / 2, Q = P + T };
    uint32_t b[N];
    for (size_t i = 0; i < N; i++)
        b[i] = 0x8b8b8b8b;
    size_t m = s + 1 > N ? s + 1 : N;
    for (size_t k = 0; k < m; k++) {
        uint32_t r1 = 1664525u * mix(b[k % N] ^ b[(k + P) % N] ^ b[(k + N - 1) % N]);
        uint32_t r2 = r1 + (uint32_t)(k == 0 ? s : k <= s ? k % N + v[k - 1] : k % N);
        b[(k + P) % N] += r1;
        b[(k + Q) % N] += r2;
        b[k % N] = r2;
    }
    for (size_t k = m; k < m + N; k++) {
        uint32_t r3 = 1566083941u * mix(b[k % N] + b[(k + P) % N] + b[(k + N - 1) % N]);
        uint32_t r4 = r3 - (uint32_t)(k % N);
        b[(k + P) % N] ^= r3;
        b[(k + Q) % N] ^= r4;
        b[k % N] = r4;
    }
    return b[3];
}

bool apt_phased_out(const char *source, const char *source_version, const char *machine_id,
                    unsigned percent)
{
    /* minstd_rand: x -> 48271 x mod 2^31 - 1, from 1 to 2^31 - 2. */
    const uint64_t factor = 48271, modulus = 2147483647;
    CLEANUP_STR struct str text = {0};
    str_printf(&text, "%s-%s-%s", source, source_version, machine_id);
    uint64_t x = seed_of((const uint8_t *)str_text(&text), text.length) % modulus;
    if (!x)
        x = 1;
    /* uniform_int_distribution(0, 100): equal parts of the range, the rest is drawn again. */
    const uint64_t range = modulus - 2, part = range / 101, past = part * 101;
    uint64_t drawn;
    do {
        x = x * factor % modulus;
        drawn = x - 1;
    } while (drawn >= past);
    return drawn / part > percent;
}
