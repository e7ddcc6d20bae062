#pragma once
// What threads need from the system and Swift cannot spell: variadic system calls, a thread-local flag and
// the processor's pause instruction.

#include <stdbool.h>
#include <stdint.h>

/// The number of processors that this process may run on, at least 1.
int host_processor_count(void);

/// Sleeps while `*word` is `expected`; may also return for no reason.
void host_wait(const void *word, uint32_t expected);

/// Wakes up to `count` threads that sleep on `word`.
void host_wake(const void *word, int count);

/// Tells the processor that this thread spins.
static inline void host_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Whether the calling thread is inside a parallel region.
bool host_is_inside_parallel_region(void);

/// Marks the calling thread as inside or outside of a parallel region.
void host_set_inside_parallel_region(bool inside);
