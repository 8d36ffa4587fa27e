#include "frontend/kernel/memory.h"

#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>

#include "frontend/kernel/kernel.h"

#define PAGE        4096u
#define PAGES_MAX   65536u /* 256 MiB are enough */
/* Between RAM and the hole for devices; no guest of ours has so much RAM. */
#define UNPOPULATED 0xd0000000u
/* If the map is not told: what every guest of ours has at least. */
#define RAM_LEAST   (32u << 20)
#define CLASSES     7u /* of 32 to 2048 bytes */

extern uint8_t __bss_end[];

/* Before each block: its class, or the number of pages. */
struct header {
	uint32_t class, pages;
	struct header *next;
};
_Static_assert(sizeof(struct header) == 16, "blocks stay aligned");

static struct {
	uint8_t used[PAGES_MAX]; /* or not RAM */
	unsigned free, hint;
	struct header *block[CLASSES];
	uint32_t lock;
} memory;

static bool lock_take(void)
{
	bool on = cpu_interrupts_save();

	while (__atomic_exchange_n(&memory.lock, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
	return on;
}

static void lock_give(bool on)
{
	__atomic_store_n(&memory.lock, 0, __ATOMIC_RELEASE);
	cpu_interrupts_restore(on);
}

static void range_add(uint64_t from, uint64_t to)
{
	from = (from + PAGE - 1) / PAGE;
	to /= PAGE;
	for (; from < to && from < PAGES_MAX; from++) {
		if (memory.used[from]) {
			memory.used[from] = 0;
			memory.free++;
		}
	}
}

static void range_take(uint64_t from, uint64_t to)
{
	for (from /= PAGE; from < (to + PAGE - 1) / PAGE && from < PAGES_MAX; from++) {
		if (!memory.used[from]) {
			memory.used[from] = 1;
			memory.free--;
		}
	}
}

/* What the loader told us lies in RAM as well. */
static void start_info_keep(const struct hvm_start_info *start)
{
	range_take((uint64_t)start, (uint64_t)start + PAGE);
	if (start->cmdline_paddr)
		range_take(start->cmdline_paddr, start->cmdline_paddr + PAGE);
	if (start->version && start->memmap_entries)
		range_take(start->memmap_paddr, start->memmap_paddr + PAGE);
}

void memory_start(const struct hvm_start_info *start)
{
	const struct hvm_memmap_table_entry *map =
		start->version ? (const void *)start->memmap_paddr : NULL;

	memset(memory.used, 1, sizeof(memory.used));
	if (map && start->memmap_entries) {
		for (unsigned i = 0; i < start->memmap_entries; i++) {
			if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
				range_add(map[i].addr, map[i].addr + map[i].size);
		}
	} else {
		range_add(0x100000, RAM_LEAST);
	}
	/* Low memory is the trampoline's and the firmware's. */
	range_take(0, (uint64_t)__bss_end);
	start_info_keep(start);
	memory.hint = (unsigned)((uint64_t)__bss_end / PAGE);
}

static unsigned run_find(unsigned from, unsigned to, unsigned count)
{
	unsigned run = 0;

	for (unsigned i = from; i < to; i++) {
		run = memory.used[i] ? 0 : run + 1;
		if (run == count)
			return i + 1 - count;
	}
	return 0;
}

void *memory_pages(unsigned count)
{
	bool on = lock_take();
	unsigned at = run_find(memory.hint, PAGES_MAX, count);

	if (!at)
		at = run_find(256, PAGES_MAX, count);
	for (unsigned i = 0; at && i < count; i++)
		memory.used[at + i] = 1;
	if (at) {
		memory.free -= count;
		memory.hint = at + count;
	}
	lock_give(on);
	return at ? memset((void *)((uint64_t)at * PAGE), 0, (size_t)count * PAGE) : NULL;
}

void memory_pages_free(void *pages, unsigned count)
{
	bool on = lock_take();
	unsigned at = (unsigned)((uint64_t)pages / PAGE);

	for (unsigned i = 0; i < count; i++)
		memory.used[at + i] = 0;
	memory.free += count;
	if (at < memory.hint)
		memory.hint = at;
	lock_give(on);
}

unsigned memory_free_pages(void)
{
	return memory.free;
}

static unsigned class_of(size_t size)
{
	unsigned class = 0;

	while (class < CLASSES && (32u << class) < size + sizeof(struct header))
		class ++;
	return class;
}

static struct header *block_take(unsigned class)
{
	bool on = lock_take();
	struct header *block = memory.block[class];

	if (block)
		memory.block[class] = block->next;
	lock_give(on);
	return block;
}

static void block_give(struct header *block, unsigned class)
{
	bool on = lock_take();

	block->class = class;
	block->next = memory.block[class];
	memory.block[class] = block;
	lock_give(on);
}

static struct header *blocks_make(unsigned class)
{
	uint8_t *page = memory_pages(1);
	unsigned size = 32u << class;

	if (!page)
		return NULL;
	for (unsigned at = size; at + size <= PAGE; at += size)
		block_give((struct header *)(page + at), class);
	return (struct header *)page;
}

void *memory_allocate(size_t size)
{
	unsigned class = class_of(size), pages;
	struct header *block;

	if (class == CLASSES) {
		pages = (unsigned)((size + sizeof(*block) + PAGE - 1) / PAGE);
		block = memory_pages(pages);
		if (!block)
			return NULL;
		block->pages = pages;
	} else {
		block = block_take(class);
		if (!block)
			block = blocks_make(class);
		if (!block)
			return NULL;
		memset(block, 0, 32u << class);
	}
	block->class = class;
	return block + 1;
}

void memory_free(void *freed)
{
	struct header *block;

	if (!freed)
		return;
	block = (struct header *)freed - 1;
	if (block->class == CLASSES)
		memory_pages_free(block, block->pages);
	else
		block_give(block, block->class);
}

uint64_t memory_unpopulated(unsigned n)
{
	return UNPOPULATED + (uint64_t)n * PAGE;
}
