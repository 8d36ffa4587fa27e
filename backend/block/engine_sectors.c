#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block/sectors.h"

enum stage { STAGE_THROUGH, STAGE_READ, STAGE_HEAD, STAGE_TAIL, STAGE_WRITE };

/** An operation under way. */
struct span {
	struct engine_io io; /* first: engine_done gets it */
	struct engine_sectors *engine;
	struct engine_io *outer;
	enum stage stage;
	bool exclusive;      /* in active */
	uint64_t start, end; /* whole sectors */
	uint8_t *bounce;     /* end - start bytes */
	int rc;
	LIST_ENTRY(span) active;
	TAILQ_ENTRY(span) entry; /* of waiting, or of finished */
	struct span *next;       /* of free */
};

struct engine_sectors {
	struct engine engine;
	struct sectors *sectors;
	struct engine *inner;
	struct event *turn;
	TAILQ_HEAD(spans_finished, span) finished; /* without having been started */
	struct span *free;
	struct span span[];
};

static struct engine_sectors *self(struct engine *engine)
{
	return (struct engine_sectors *)engine;
}

void sectors_init(struct sectors *sectors, uint32_t alignment)
{
	sectors->alignment = alignment;
	sectors->bounces = 0;
	LIST_INIT(&sectors->active);
	TAILQ_INIT(&sectors->waiting);
}

/* ---- which sectors ---- */

static bool aligned(const struct span *span)
{
	const struct engine_io *io = span->outer;
	uint32_t mask = span->engine->sectors->alignment - 1;

	return !((io->offset | io->length | (uintptr_t)io->buffer) & mask);
}

static void span_measure(struct span *span)
{
	const struct engine_io *io = span->outer;
	uint64_t mask = span->engine->sectors->alignment - 1;

	if (io->op == ENGINE_DISCARD) { /* a part of a sector is none to give back */
		span->start = (io->offset + mask) & ~mask;
		span->end = (io->offset + io->length) & ~mask;
	} else {
		span->start = io->offset & ~mask;
		span->end = (io->offset + io->length + mask) & ~mask;
	}
}

static bool blocked(const struct span *span)
{
	const struct span *other;

	LIST_FOREACH (other, &span->engine->sectors->active, active)
		if (other->start < span->end && span->start < other->end)
			return true;
	return false;
}

/* ---- one operation ---- */

static void span_done(struct engine_io *io, int rc);

static int through(struct span *span)
{
	const struct engine_io *io = span->outer;
	struct engine *inner = span->engine->inner;

	span->stage = STAGE_THROUGH;
	switch (io->op) {
	case ENGINE_READ:
		return engine_read(inner, &span->io, io->buffer, io->offset, io->length);
	case ENGINE_WRITE:
		return engine_write(inner, &span->io, io->buffer, io->offset, io->length);
	case ENGINE_FLUSH:
		return engine_flush(inner, &span->io);
	case ENGINE_ERASE:
		return engine_erase(inner, &span->io, io->offset, io->length);
	default:
		return engine_discard(inner, &span->io, span->start, span->end - span->start);
	}
}

/* The next step of one with memory of its own. */
static int bounced(struct span *span)
{
	struct engine *inner = span->engine->inner;
	const struct engine_io *io = span->outer;
	uint32_t sector = span->engine->sectors->alignment;
	uint64_t last = span->end - sector;

	switch (span->stage) {
	case STAGE_READ:
		return engine_read(inner, &span->io, span->bounce, span->start,
				   span->end - span->start);
	case STAGE_HEAD:
		if (io->offset > span->start)
			return engine_read(inner, &span->io, span->bounce, span->start, sector);
		span->stage = STAGE_TAIL;
		/* fall through */
	case STAGE_TAIL:
		if (io->offset + io->length < span->end &&
		    (last > span->start || io->offset == span->start))
			return engine_read(inner, &span->io, span->bounce + (last - span->start),
					   last, sector);
		span->stage = STAGE_WRITE;
		/* fall through */
	default:
		memcpy(span->bounce + (io->offset - span->start), io->buffer, io->length);
		return engine_write(inner, &span->io, span->bounce, span->start,
				    span->end - span->start);
	}
}

/* Start it, or find that it has to wait (-EAGAIN). */
static int span_start(struct span *span)
{
	struct sectors *sectors = span->engine->sectors;
	enum engine_op op = span->outer->op;
	bool changes = op == ENGINE_WRITE || op == ENGINE_DISCARD || op == ENGINE_ERASE;
	bool whole = op == ENGINE_FLUSH || op == ENGINE_DISCARD || aligned(span);

	if (op == ENGINE_ERASE && !whole)
		return -EINVAL;
	if (changes && blocked(span))
		return -EAGAIN;
	if (!whole) {
		if (sectors->bounces == SECTORS_BOUNCES_MAX)
			return -EAGAIN;
		span->bounce = aligned_alloc(sectors->alignment, span->end - span->start);
		if (!span->bounce)
			return sectors->bounces ? -EAGAIN : -ENOMEM;
		sectors->bounces++;
		span->stage = op == ENGINE_READ ? STAGE_READ : STAGE_HEAD;
	}
	span->exclusive = changes;
	if (span->exclusive)
		LIST_INSERT_HEAD(&sectors->active, span, active);
	return whole ? through(span) : bounced(span);
}

static void span_finish(struct span *span, int rc)
{
	struct engine_sectors *engine = span->engine;
	struct engine_io *outer = span->outer;

	if (span->exclusive)
		LIST_REMOVE(span, active);
	if (span->bounce) {
		free(span->bounce);
		span->bounce = NULL;
		engine->sectors->bounces--;
	}
	span->next = engine->free;
	engine->free = span;
	outer->done(outer, rc);
}

static void finish_later(struct span *span, int rc)
{
	span->rc = rc;
	TAILQ_INSERT_TAIL(&span->engine->finished, span, entry);
	event_active(span->engine->turn, EV_TIMEOUT, 0);
}

/* Those whose time has come, of whatever queue. */
static void waiting_start(struct sectors *sectors)
{
	struct span *span, *next;
	int rc;

	for (span = TAILQ_FIRST(&sectors->waiting); span; span = next) {
		next = TAILQ_NEXT(span, entry);
		rc = span_start(span);
		if (rc == -EAGAIN)
			continue;
		TAILQ_REMOVE(&sectors->waiting, span, entry);
		if (rc)
			finish_later(span, rc);
		else
			engine_submit(span->engine->inner);
	}
}

static void span_done(struct engine_io *io, int rc)
{
	struct span *span = (struct span *)io;
	struct sectors *sectors = span->engine->sectors;
	const struct engine_io *outer = span->outer;

	if (!rc && (span->stage == STAGE_HEAD || span->stage == STAGE_TAIL)) {
		span->stage++;
		rc = bounced(span);
		if (!rc)
			return;
	}
	if (!rc && span->stage == STAGE_READ)
		memcpy(outer->buffer, span->bounce + (outer->offset - span->start), outer->length);
	span_finish(span, rc);
	if (!TAILQ_EMPTY(&sectors->waiting))
		waiting_start(sectors);
}

/* ---- the engine ---- */

static int sectors_start(struct engine *engine, struct engine_io *io)
{
	struct engine_sectors *stack = self(engine);
	struct span *span = stack->free;
	int rc;

	if (!span)
		return -EAGAIN;
	stack->free = span->next;
	span->outer = io;
	span->io.done = span_done;
	span->bounce = NULL;
	span->exclusive = false;
	span->rc = 0;
	span_measure(span);
	if (io->op == ENGINE_DISCARD && span->start >= span->end) {
		finish_later(span, 0);
		return 0;
	}
	rc = span_start(span);
	if (rc == -EAGAIN)
		TAILQ_INSERT_TAIL(&stack->sectors->waiting, span, entry);
	else if (rc)
		finish_later(span, rc);
	return 0;
}

static void sectors_submit(struct engine *engine)
{
	engine_submit(self(engine)->inner);
}

static unsigned sectors_look(struct engine *engine)
{
	return engine_look(self(engine)->inner);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct engine_sectors *stack = arg;
	struct span *span;

	while ((span = TAILQ_FIRST(&stack->finished))) {
		TAILQ_REMOVE(&stack->finished, span, entry);
		span_finish(span, span->rc);
	}
	engine_submit(stack->inner);
	stack->engine.batch(stack->engine.arg);
}

static void sectors_close(struct engine *engine)
{
	struct engine_sectors *stack = self(engine);

	if (stack->turn)
		event_free(stack->turn);
	engine_close(stack->inner);
	free(stack);
}

static const struct engine_class sectors_class = {
	.name = "sectors",
	.start = sectors_start,
	.submit = sectors_submit,
	.close = sectors_close,
	.look = sectors_look,
};

int engine_open_sectors(struct engine **engine, struct sectors *sectors, struct engine *inner,
			const struct engine_options *options)
{
	struct engine_sectors *stack =
		calloc(1, sizeof(*stack) + options->depth * sizeof(stack->span[0]));

	if (!stack) {
		engine_close(inner);
		return -ENOMEM;
	}
	stack->engine = (struct engine){&sectors_class, options->batch, options->arg};
	stack->sectors = sectors;
	stack->inner = inner;
	TAILQ_INIT(&stack->finished);
	for (unsigned n = 0; n < options->depth; n++) {
		stack->span[n].engine = stack;
		stack->span[n].next = stack->free;
		stack->free = &stack->span[n];
	}
	stack->turn = event_new(options->base, -1, 0, on_turn, stack);
	if (!stack->turn) {
		sectors_close(&stack->engine);
		return -ENOMEM;
	}
	*engine = &stack->engine;
	return 0;
}
