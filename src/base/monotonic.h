/* monotonic.h - the kernel's clock that nobody sets (CLOCK_MONOTONIC), since some moment in the
 * past: for durations and deadlines. It stands still while the host is suspended. */
#ifndef YAGURA_BASE_MONOTONIC_H
#define YAGURA_BASE_MONOTONIC_H

#include <stdint.h>

int64_t monotonic_ns(void);
int64_t monotonic_us(void);
int64_t monotonic_ms(void);

#endif
