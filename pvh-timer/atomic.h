/*
 * atomic.h - what several vcpus and Xen change at once, one operation each.
 *
 * Every access to memory that Xen writes goes through here: bits are set and cleared in place,
 * never by storing a word that was read before. Tests define PVH_INTERLEAVE to run something else
 * between any two of them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef PVH_INTERLEAVE
void pvh_interleave(void);
#else
#define pvh_interleave()
#endif

static inline uint64_t atomic_read64(const uint64_t *word)
{
	pvh_interleave();
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline uint32_t atomic_read32(const uint32_t *word)
{
	pvh_interleave();
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline uint8_t atomic_read8(const uint8_t *byte)
{
	pvh_interleave();
	return __atomic_load_n(byte, __ATOMIC_SEQ_CST);
}

static inline void atomic_write32(uint32_t *word, uint32_t value)
{
	pvh_interleave();
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint64_t atomic_swap64(uint64_t *word, uint64_t value)
{
	pvh_interleave();
	return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t atomic_swap32(uint32_t *word, uint32_t value)
{
	pvh_interleave();
	return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint8_t atomic_swap8(uint8_t *byte, uint8_t value)
{
	pvh_interleave();
	return __atomic_exchange_n(byte, value, __ATOMIC_SEQ_CST);
}

static inline bool atomic_compare_swap32(uint32_t *word, uint32_t *expected, uint32_t value)
{
	pvh_interleave();
	return __atomic_compare_exchange_n(word, expected, value, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/** The old value's @bits are returned by both. */
static inline uint32_t atomic_set32(uint32_t *word, uint32_t bits)
{
	pvh_interleave();
	return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST) & bits;
}

static inline uint32_t atomic_clear32(uint32_t *word, uint32_t bits)
{
	pvh_interleave();
	return __atomic_fetch_and(word, ~bits, __ATOMIC_SEQ_CST) & bits;
}

static inline bool atomic_bit_set(uint64_t *map, uint32_t bit)
{
	uint64_t mask = UINT64_C(1) << (bit % 64);

	pvh_interleave();
	return __atomic_fetch_or(&map[bit / 64], mask, __ATOMIC_SEQ_CST) & mask;
}

static inline bool atomic_bit_clear(uint64_t *map, uint32_t bit)
{
	uint64_t mask = UINT64_C(1) << (bit % 64);

	pvh_interleave();
	return __atomic_fetch_and(&map[bit / 64], ~mask, __ATOMIC_SEQ_CST) & mask;
}

static inline bool atomic_bit_test(const uint64_t *map, uint32_t bit)
{
	return atomic_read64(&map[bit / 64]) >> (bit % 64) & 1;
}

/** A counter that nothing is ordered by. */
static inline void atomic_count(uint64_t *counter, uint64_t by)
{
	__atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

static inline uint64_t atomic_counted(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}
