/* No storage: every operation is finished at the next turn of the loop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block/engine.h"

struct engine_null {
	struct engine engine;
	struct event *finish;
	struct engine_io *first, **end;
};

static int null_start(struct engine *engine, struct engine_io *io)
{
	struct engine_null *null = (struct engine_null *)engine;

	if (io->op == ENGINE_READ)
		memset(io->buffer, 0, io->length);
	*null->end = io;
	null->end = &io->next;
	return 0;
}

static void null_submit(struct engine *engine)
{
	struct engine_null *null = (struct engine_null *)engine;

	if (null->first)
		event_active(null->finish, EV_TIMEOUT, 0);
}

static unsigned null_look(struct engine *engine)
{
	struct engine_null *null = (struct engine_null *)engine;
	struct engine_io *io = null->first, *next;
	unsigned finished = 0;

	if (!io)
		return 0;
	null->first = NULL;
	null->end = &null->first;
	event_del(null->finish);
	for (; io; io = next) {
		next = io->next;
		finished++;
		io->done(io, 0);
	}
	null_submit(engine);
	return finished;
}

static void on_finish(evutil_socket_t fd, short what, void *arg)
{
	struct engine_null *null = arg;

	if (null_look(&null->engine))
		null->engine.batch(null->engine.arg);
}

static void null_close(struct engine *engine)
{
	struct engine_null *null = (struct engine_null *)engine;

	event_free(null->finish);
	free(null);
}

static const struct engine_class null_class = {
	.name = "null",
	.start = null_start,
	.submit = null_submit,
	.close = null_close,
	.look = null_look,
};

int engine_open_null(struct engine **engine, const struct engine_options *options)
{
	struct engine_null *null = calloc(1, sizeof(*null));

	if (!null)
		return -ENOMEM;
	null->engine = (struct engine){&null_class, options->batch, options->arg};
	null->end = &null->first;
	null->finish = event_new(options->base, -1, 0, on_finish, null);
	if (!null->finish) {
		free(null);
		return -ENOMEM;
	}
	*engine = &null->engine;
	return 0;
}
