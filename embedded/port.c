#include "embedded/port.h"

#define MASKED     UINT64_C(1)
#define PENDING    UINT64_C(2)
#define DELIVERY   UINT64_C(0x100) /* one of up to 2^24 - 1 under way */
#define DELIVERIES UINT64_C(0xffffff00)

static uint32_t generation_of(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

void port_open(struct shared_port *port, uint32_t generation, bool masked)
{
	atomic_store(&port->word, (uint64_t)generation << 32 | (masked ? MASKED : 0));
}

void port_shut(struct shared_port *port)
{
	atomic_store(&port->word, MASKED);
}

uint32_t port_generation(const struct shared_port *port)
{
	return generation_of(atomic_load(&port->word));
}

enum port_raised port_raise(struct shared_port *port, uint32_t generation)
{
	uint64_t word = atomic_load(&port->word), next;
	enum port_raised raised;

	do {
		if (generation_of(word) != generation || !generation)
			return PORT_STALE;
		if (word & PENDING)
			return PORT_HELD;
		raised = word & MASKED ? PORT_HELD : PORT_DELIVER;
		next = raised == PORT_HELD ? word | PENDING : (word | MASKED) + DELIVERY;
	} while (!atomic_compare_exchange_weak(&port->word, &word, next));
	return raised;
}

enum port_raised port_unmask(struct shared_port *port)
{
	uint64_t word = atomic_load(&port->word), next;
	enum port_raised raised;

	do {
		if (!generation_of(word))
			return PORT_STALE;
		if (!(word & MASKED))
			return PORT_HELD;
		raised = word & PENDING ? PORT_DELIVER : PORT_HELD;
		next = raised == PORT_DELIVER ? (word & ~PENDING) + DELIVERY : word & ~MASKED;
	} while (!atomic_compare_exchange_weak(&port->word, &word, next));
	return raised;
}

void port_mask(struct shared_port *port)
{
	atomic_fetch_or(&port->word, MASKED);
}

void port_delivered(struct shared_port *port, uint32_t generation)
{
	uint64_t word = atomic_load(&port->word);

	do {
		if (generation_of(word) != generation || !(word & DELIVERIES))
			return;
	} while (!atomic_compare_exchange_weak(&port->word, &word, word - DELIVERY));
}

bool port_recover(struct shared_port *port)
{
	return atomic_fetch_and(&port->word, ~DELIVERIES) & DELIVERIES;
}
