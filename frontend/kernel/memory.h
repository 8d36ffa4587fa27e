/*
 * memory.h - physical pages and a heap; virtual addresses are physical ones.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hvm_start_info;

/** memory_start - take all RAM that the start info's map names, behind the kernel's image. */
void memory_start(const struct hvm_start_info *start);

/** memory_pages - @count contiguous zeroed pages, or NULL. */
void *memory_pages(unsigned count);
void memory_pages_free(void *pages, unsigned count);

/** memory_allocate - zeroed, aligned to 16 bytes, or NULL; memory_free takes NULL. */
void *memory_allocate(size_t size);
void memory_free(void *memory);

/** memory_free_pages - how many are free. */
unsigned memory_free_pages(void);

/** memory_unpopulated - the n-th page that no RAM is at; Xen may put pages of its own there. */
uint64_t memory_unpopulated(unsigned n);
