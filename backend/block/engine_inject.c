#include "backend/block/engine_inject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct engine_inject {
	struct engine engine;
	struct inject *inject;
	struct engine *inner;
	struct event_base *base;
};

/** An operation that a rule is for. */
struct fault {
	struct engine_io io; /* first: engine_done gets it */
	struct engine_inject *engine;
	struct engine_io *outer;
	struct event *turn;
	bool cut; /* torn bytes get to the storage, and then it is over */
	uint64_t torn;
	int rc; /* 0: as the storage says */
	LIST_ENTRY(fault) entry;
};

static struct engine_inject *self(struct engine *engine)
{
	return (struct engine_inject *)engine;
}

void inject_release(struct inject *inject)
{
	struct fault *fault;

	LIST_FOREACH (fault, &inject->held, entry) {
		fault->cut = false;
		fault->rc = 0;
		event_active(fault->turn, EV_TIMEOUT, 0);
	}
}

void inject_set(struct inject *inject, const struct inject_rules *rules)
{
	if (!memcmp(&inject->rules, rules, sizeof(*rules)))
		return;
	inject->rules = *rules;
	memset(inject->seen, 0, sizeof(inject->seen));
	inject_release(inject);
}

static unsigned percent_any(struct inject *inject)
{
	struct timespec now;

	if (!inject->random) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		inject->random = (uint64_t)now.tv_nsec | 1;
	}
	inject->random ^= inject->random << 13;
	inject->random ^= inject->random >> 7;
	inject->random ^= inject->random << 17;
	return (unsigned)(inject->random % 100);
}

/* ---- one operation ---- */

static void fault_end(struct fault *fault, int rc)
{
	struct engine_io *outer = fault->outer;

	event_free(fault->turn);
	free(fault);
	outer->done(outer, rc);
}

static void fault_done(struct engine_io *io, int rc)
{
	struct fault *fault = (struct fault *)io;

	fault_end(fault, rc ? rc : fault->rc);
}

/* What of it gets to the storage. Return: 0, or a negative errno: nothing, and it is over. */
static int pass_on(struct fault *fault)
{
	struct engine *inner = fault->engine->inner;
	const struct engine_io *io = fault->outer;

	switch (io->op) {
	case ENGINE_READ:
		return engine_read(inner, &fault->io, io->buffer, io->offset, io->length);
	case ENGINE_WRITE:
		return engine_write(inner, &fault->io, io->buffer, io->offset,
				    fault->cut ? fault->torn : io->length);
	case ENGINE_FLUSH:
		return engine_flush(inner, &fault->io);
	case ENGINE_ERASE:
		return engine_erase(inner, &fault->io, io->offset, io->length);
	default:
		return engine_discard(inner, &fault->io, io->offset, io->length);
	}
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct fault *fault = arg;
	struct engine_inject *engine = fault->engine;
	bool nothing = fault->cut ? !fault->torn : fault->rc != 0;
	int rc = fault->rc;

	LIST_REMOVE(fault, entry);
	if (!nothing)
		rc = pass_on(fault);
	if (nothing || rc)
		fault_end(fault, rc);
	engine_submit(engine->inner);
	engine->engine.batch(engine->engine.arg);
}

/* ---- the engine ---- */

static int pass_by(struct engine *inner, struct engine_io *io)
{
	return inner->class->start(inner, io);
}

static int inject_start(struct engine *engine, struct engine_io *io)
{
	struct engine_inject *stack = self(engine);
	struct inject *inject = stack->inject;
	const struct inject_rule *rule;
	struct timeval delay;
	struct fault *fault;

	if (!inject->rules.count)
		return pass_by(stack->inner, io);
	rule = inject_judge(&inject->rules, inject->seen, io->op, io->offset, io->length,
			    percent_any(inject));
	fault = rule ? calloc(1, sizeof(*fault)) : NULL;
	if (!fault)
		return pass_by(stack->inner, io);
	fault->turn = event_new(stack->base, -1, 0, on_turn, fault);
	if (!fault->turn) {
		free(fault);
		return pass_by(stack->inner, io);
	}
	fault->io.done = fault_done;
	fault->engine = stack;
	fault->outer = io;
	fault->cut = rule->torn != INJECT_WHOLE;
	fault->torn = rule->torn < io->length ? rule->torn : io->length;
	fault->rc = rule->rc;
	LIST_INSERT_HEAD(&inject->held, fault, entry);
	delay = (struct timeval){rule->delay_ms / 1000, rule->delay_ms % 1000 * 1000};
	if (!rule->delay_ms)
		event_active(fault->turn, EV_TIMEOUT, 0);
	else if (rule->delay_ms != INJECT_FOREVER)
		event_add(fault->turn, &delay);
	return 0;
}

static void inject_submit(struct engine *engine)
{
	engine_submit(self(engine)->inner);
}

static unsigned inject_look(struct engine *engine)
{
	return engine_look(self(engine)->inner);
}

static void inject_close(struct engine *engine)
{
	engine_close(self(engine)->inner);
	free(engine);
}

static const struct engine_class inject_class = {
	.name = "inject",
	.start = inject_start,
	.submit = inject_submit,
	.close = inject_close,
	.look = inject_look,
};

int engine_open_inject(struct engine **engine, struct inject *inject, struct engine *inner,
		       const struct engine_options *options)
{
	struct engine_inject *stack = calloc(1, sizeof(*stack));

	if (!stack) {
		engine_close(inner);
		return -ENOMEM;
	}
	stack->engine = (struct engine){&inject_class, options->batch, options->arg};
	stack->inject = inject;
	stack->inner = inner;
	stack->base = options->base;
	*engine = &stack->engine;
	return 0;
}
