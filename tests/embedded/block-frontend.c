/*
 * block-frontend - as a guest, try a disk's backend: in every way that frontends connect, and in
 * every way that a hostile one might.
 *
 *   block-frontend CASE [DEVID]
 *
 * step-0 to step-9 are the steps of a handshake; they stay until they are ended from outside.
 * Prints "ok CASE" or "FAIL CASE: why"; exits 0 or 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/embedded/block-cases.h"

static const char *why;

bool no(const char *reason)
{
	why = reason;
	return false;
}

bool alive(struct front *front, uint8_t fill)
{
	union front_wire wire = front_request(front, BLKIF_OP_WRITE, 8ull * fill, 0);

	memset(front->data[0], fill, 4096);
	if (front_do(front, &wire) != BLKIF_RSP_OKAY)
		return no("a good write failed");
	memset(front->data[1], 0, 4096);
	wire = front_request(front, BLKIF_OP_READ, 8ull * fill, 1);
	if (front_do(front, &wire) != BLKIF_RSP_OKAY)
		return no("a good read failed");
	return !memcmp(front->data[0], front->data[1], 4096) || no("it read something else");
}

bool connected(struct front *front, const struct front_options *options, uint8_t fill)
{
	front_connect(front, options);
	if (!front_wait(front, CONNECTED))
		return no("the backend did not connect");
	return alive(front, fill);
}

/* Every way to connect, one after the other on one device. */
static bool case_connect(struct front *front)
{
	static const struct front_options ways[] = {
		{.at_once = true, .ready = XenbusStateConnected}, /* mini-os, EDK2 */
		{.ready = XenbusStateInitialised},                /* Linux */
		{.ready = XenbusStateConnected},
		{.at_once = true, .ready = XenbusStateInitialised}, /* GRUB */
		{.abi_32 = true},
		{.abi_32 = true, .protocol = ""}, /* those from before there was a choice */
		{.protocol = "arm-abi"},
		{.order = 1},
		{.order = 4, .abi_32 = true},
		{.order = 4},
		{.order = 2, .pages_text = "4"}, /* the older spelling alone */
		{.order = 4, .pages_text = "16"},
		{.order = 1, .pages_text = "2", .order_text = "1"},
		{.order_text = "0", .numbered = true},
		{.pages_text = "1", .numbered = true},
		{.rings = 2, .order = 3, .pages_text = "8"},
		{.rings = 2},
		{.rings = 4, .order = 4},
	};

	for (unsigned n = 0; n < sizeof(ways) / sizeof(ways[0]); n++) {
		if (!connected(front, &ways[n], (uint8_t)(n + 1)))
			return false;
		if (!front_close(front))
			return no("the backend did not follow to InitWait");
	}
	return true;
}

static bool use_rings(struct front *front, const struct front_options *options)
{
	front_connect(front, options);
	if (!front_wait(front, CONNECTED))
		return no("the backend did not connect");
	for (unsigned round = 0; round < 50; round++)
		for (unsigned ring = 0; ring < options->rings; ring++) {
			union front_wire wire =
				front_request(front, BLKIF_OP_READ, round * 8, ring);

			front_put(front, ring, &wire);
			front_push(front, ring);
		}
	for (unsigned ring = 0; ring < options->rings; ring++)
		for (unsigned round = 0; round < 50; round++)
			if (front_answer(front, ring, 10000, NULL) != BLKIF_RSP_OKAY)
				return no("a read failed");
	return true;
}

static bool case_rings(struct front *front)
{
	const struct front_options options = {.rings = 4, .order = 2};

	return use_rings(front, &options);
}

/* The most that a guest of many vcpus can have. */
static bool case_wide(struct front *front)
{
	const struct front_options options = {.rings = 16, .order = 4};

	return use_rings(front, &options);
}

/* A kernel that starts over without closing what the one before it had connected. */
static bool case_kexec(struct front *front)
{
	const struct front_options options = {.order = 0};

	for (uint8_t n = 1; n <= 5; n++) {
		if (!connected(front, &options, n))
			return false;
		front_state(front, XenbusStateInitialising);
		if (!front_wait(front, 1u << XenbusStateInitWait))
			return no("the backend did not return to InitWait");
		front_forget(front);
	}
	return true;
}

/* XSA-350 */
static bool case_toggle(struct front *front)
{
	const struct front_options options = {.order = 0};
	const struct front_options at_once = {.at_once = true};

	for (unsigned n = 0; n < 30; n++) {
		front_connect(front, &at_once);
		front_state(front, XenbusStateClosing);
		front_state(front, XenbusStateClosed);
		if (n % 3)
			front_wait(front, CLOSED);
		front_state(front, XenbusStateInitialising);
		if (n % 2)
			front_wait(front, 1u << XenbusStateInitWait);
		front_forget(front);
	}
	return connected(front, &options, 1);
}

static bool case_read_only(struct front *front)
{
	const struct front_options options = {.order = 0};
	union front_wire wire;

	front_connect(front, &options);
	if (!front_wait(front, CONNECTED))
		return no("the backend did not connect");
	for (uint8_t operation = BLKIF_OP_WRITE; operation <= BLKIF_OP_FLUSH_DISKCACHE;
	     operation++) {
		wire = front_request(front, operation, 0, 0);
		if (front_do(front, &wire) != BLKIF_RSP_ERROR)
			return no("it wrote");
	}
	memset(&wire, 0, sizeof(wire));
	wire.discard.operation = BLKIF_OP_DISCARD;
	wire.discard.nr_sectors = 8;
	if (front_do(front, &wire) != BLKIF_RSP_EOPNOTSUPP)
		return no("it discarded");
	wire = front_request(front, BLKIF_OP_READ, 0, 0);
	return front_do(front, &wire) == BLKIF_RSP_OKAY || no("it cannot be read");
}

/* A drive without a disc: an error for all that is on one, and it lives on. */
static bool case_empty(struct front *front)
{
	const struct front_options options = {.order = 0};
	union front_wire wire;

	front_connect(front, &options);
	if (!front_wait(front, CONNECTED))
		return no("the backend did not connect");
	for (uint8_t operation = BLKIF_OP_READ; operation <= BLKIF_OP_FLUSH_DISKCACHE;
	     operation++) {
		wire = front_request(front, operation, 0, 0);
		if (front_do(front, &wire) != BLKIF_RSP_ERROR)
			return no("there is something in it");
	}
	wire = front_request(front, BLKIF_OP_FLUSH_DISKCACHE, 0, 0);
	wire.direct.nr_segments = 0;
	return front_do(front, &wire) == BLKIF_RSP_OKAY || no("it does not flush");
}

/* The storage is full from some page on; what was written stays, and can be written again. */
static bool case_full(struct front *front)
{
	const struct front_options options = {.order = 0};
	union front_wire wire;
	unsigned page;

	if (!connected(front, &options, 1))
		return false;
	for (page = 0; page < 4096; page++) {
		wire = front_request(front, BLKIF_OP_WRITE, page * 8ull, 0);
		if (front_do(front, &wire) != BLKIF_RSP_OKAY)
			break;
	}
	if (page == 4096)
		return no("there was room for all");
	wire = front_request(front, BLKIF_OP_READ, page * 8ull, 1);
	if (front_do(front, &wire) != BLKIF_RSP_OKAY)
		return no("it cannot be read any more");
	return alive(front, 1);
}

/* The image lost its end while we have the disk (the script truncates it to 4 MiB). */
static bool case_short(struct front *front)
{
	const struct front_options options = {.order = 0};
	union front_wire wire;

	if (!connected(front, &options, 1))
		return false;
	wire = front_request(front, BLKIF_OP_READ, 8192 + 8, 1);
	if (front_do(front, &wire) != BLKIF_RSP_ERROR)
		return no("it read what is not there");
	return alive(front, 2);
}

/* At a step of the handshake, until the domain is ended from outside. */
static bool stay(void)
{
	puts("staying");
	fflush(stdout);
	while (pause())
		;
	return true;
}

static bool case_step(struct front *front, int step)
{
	const struct front_options options = {.order = 0}, at_once = {.at_once = true};
	const struct front_options bad = {.bad_port = 4000};
	union front_wire wire;

	switch (step) {
	case 0: /* nothing was done */
		return stay();
	case 1:
		front_wait(front, 1u << XenbusStateInitWait);
		return stay();
	case 2: /* the rings and their nodes are there */
		front_connect(front, &at_once);
		return stay();
	case 3: /* and are wrong */
		front_connect(front, &bad);
		return stay();
	default:
		if (!connected(front, &options, 1))
			return false;
	}
	switch (step) {
	case 4: /* requests under way */
		for (unsigned n = 0; n < 32; n++) {
			wire = front_request(front, n % 2 ? BLKIF_OP_READ : BLKIF_OP_WRITE,
					     n * 8ull, n % FRONT_DATA_PAGES);
			front_put(front, 0, &wire);
		}
		front_push(front, 0);
		break;
	case 5:
		front_state(front, XenbusStateClosing);
		break;
	case 6:
		front_state(front, XenbusStateClosed);
		break;
	case 7: /* another kernel */
		front_state(front, XenbusStateInitialising);
		break;
	case 8: /* the grants go first */
		front_forget(front);
		break;
	default: /* its ring was stopped, and it kicks on */
		front->ring[0].prod += 1000;
		for (unsigned n = 0; n < 100; n++)
			front_push(front, 0);
	}
	return stay();
}

/* Connected and alive until it is ended from outside. */
static bool case_stay(struct front *front)
{
	const struct front_options options = {.order = 0};

	return connected(front, &options, 1) && stay();
}

static const struct {
	const char *name;
	bool (*run)(struct front *front);
} cases[] = {
	{"connect", case_connect},     {"rings", case_rings},
	{"kexec", case_kexec},         {"toggle", case_toggle},
	{"bad-nodes", case_bad_nodes}, {"bad-requests", case_bad_requests},
	{"overflow", case_overflow},   {"read-only", case_read_only},
	{"storm", case_storm},         {"state-storm", case_state_storm},
	{"garbage", case_garbage},     {"states", case_states},
	{"full", case_full},           {"short", case_short},
	{"endure", case_endure},       {"stay", case_stay},
	{"empty", case_empty},         {"wide", case_wide},
	{"bad-rings", case_bad_rings}, {"hoard", case_hoard},
};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	struct front front;

	if (!strncmp(name, "step-", 5)) {
		front_open(&front, 51712);
		return case_step(&front, atoi(name + 5)) ? 0 : 1;
	}
	for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		bool good;

		if (strcmp(cases[n].name, name) != 0)
			continue;
		front_open(&front, argc > 2 ? (unsigned)atoi(argv[2]) : 51712);
		good = cases[n].run(&front);
		if (good)
			printf("ok %s\n", name);
		else
			printf("FAIL %s: %s\n", name, why);
		front_free(&front);
		return good ? 0 : 1;
	}
	fprintf(stderr, "usage: block-frontend CASE [DEVID]\n");
	return 2;
}
