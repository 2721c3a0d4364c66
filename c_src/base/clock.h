/* clock - the monotonic clock. Pure code takes the time as a parameter instead. */
#ifndef ELFS_BASE_CLOCK_H
#define ELFS_BASE_CLOCK_H

#include <stdint.h>

/* Time since some fixed moment, never going back: milliseconds and microseconds. */
int64_t elfs_clock_ms(void);
int64_t elfs_clock_us(void);

#endif
