/* usage - how much an event used, as data.
 *
 * Owns:   struct event_usage.
 * Holds:  a figure marked exact was kept by the kernel for the whole event; one that is not was sampled, and what came
 *         and went between two samples is not in it.
 * Called: supervisor (fills it), lib (the record); pure. */
#ifndef CORE_USAGE_H
#define CORE_USAGE_H

#include <stdint.h>

struct event_usage {
	uint64_t wall_ms, cpu_user_ms, cpu_system_ms;
	uint64_t memory_peak_bytes;
	uint64_t tasks_peak;
	uint64_t written_bytes;
	uint8_t memory_exact, tasks_exact, disk_exact; /* 1: exact, 0: sampled */
};

#endif
