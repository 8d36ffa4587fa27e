#include "backend/block/unflushed.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define ENTRIES_BYTES (UNFLUSHED_ENTRIES * sizeof(struct unflushed_entry))

static void *reserve(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int unflushed_open(struct unflushed *unflushed)
{
	*unflushed = (struct unflushed){.memory = reserve(UNFLUSHED_SIZE),
					.entry = reserve(ENTRIES_BYTES)};
	if (unflushed->memory && unflushed->entry)
		return 0;
	unflushed_close(unflushed);
	return -ENOMEM;
}

void unflushed_close(struct unflushed *unflushed)
{
	if (unflushed->memory)
		munmap(unflushed->memory, UNFLUSHED_SIZE);
	if (unflushed->entry)
		munmap(unflushed->entry, ENTRIES_BYTES);
	unflushed->memory = NULL;
	unflushed->entry = NULL;
}

static uint64_t used(const struct unflushed *unflushed)
{
	return unflushed->end - unflushed->start + unflushed->promised;
}

static uint64_t entries(const struct unflushed *unflushed)
{
	return unflushed->next - unflushed->first + unflushed->promises;
}

bool unflushed_promise(struct unflushed *unflushed, uint32_t length)
{
	if (used(unflushed) + length > UNFLUSHED_SIZE || entries(unflushed) >= UNFLUSHED_ENTRIES)
		return false;
	unflushed->promised += length;
	unflushed->promises++;
	return true;
}

void unflushed_break(struct unflushed *unflushed, uint32_t length)
{
	unflushed->promised -= length;
	unflushed->promises--;
}

void unflushed_add(struct unflushed *unflushed, uint64_t offset, const void *data, uint32_t length)
{
	uint64_t at = unflushed->end % UNFLUSHED_SIZE;
	uint32_t head = length < UNFLUSHED_SIZE - at ? length : (uint32_t)(UNFLUSHED_SIZE - at);

	unflushed_break(unflushed, length);
	unflushed->entry[unflushed->next++ % UNFLUSHED_ENTRIES] =
		(struct unflushed_entry){offset, unflushed->end, length};
	memcpy(unflushed->memory + at, data, head);
	memcpy(unflushed->memory, (const uint8_t *)data + head, length - head);
	unflushed->end += length;
}

bool unflushed_half(const struct unflushed *unflushed)
{
	return unflushed->next > unflushed->first &&
	       (used(unflushed) > UNFLUSHED_SIZE / 2 || entries(unflushed) > UNFLUSHED_ENTRIES / 2);
}

uint64_t unflushed_mark(const struct unflushed *unflushed)
{
	return unflushed->next;
}

void unflushed_drop(struct unflushed *unflushed, uint64_t mark)
{
	if (mark <= unflushed->first)
		return;
	unflushed->first = mark;
	unflushed->start = mark == unflushed->next ? unflushed->end
						   : unflushed->entry[mark % UNFLUSHED_ENTRIES].at;
}

/* How many bytes from @at on, before @end, no entry behind @n has; or *@had, which one has. */
static uint32_t newest(const struct unflushed *unflushed, uint64_t n, uint64_t at, uint64_t end,
		       uint32_t *had)
{
	*had = 0;
	while (++n < unflushed->next) {
		const struct unflushed_entry *later = &unflushed->entry[n % UNFLUSHED_ENTRIES];
		uint64_t later_end = later->offset + later->length;

		if (later->offset <= at && at < later_end) {
			*had = (uint32_t)((later_end < end ? later_end : end) - at);
			return 0;
		}
		if (later->offset > at && later->offset < end)
			end = later->offset;
	}
	return (uint32_t)(end - at);
}

uint32_t unflushed_piece(const struct unflushed *unflushed, uint64_t n, uint32_t *done,
			 uint64_t *offset, uint8_t **data)
{
	const struct unflushed_entry *entry = &unflushed->entry[n % UNFLUSHED_ENTRIES];
	uint64_t at, end = entry->offset + entry->length;
	uint32_t length = 0, had;

	while (*done < entry->length && !length) {
		length = newest(unflushed, n, entry->offset + *done, end, &had);
		*done += had;
	}
	at = (entry->at + *done) % UNFLUSHED_SIZE;
	*offset = entry->offset + *done;
	*data = unflushed->memory + at;
	return length < UNFLUSHED_SIZE - at ? length : (uint32_t)(UNFLUSHED_SIZE - at);
}
