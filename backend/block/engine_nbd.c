/* A queue's share of an NBD client: operations cut into commands that a server takes. */
#include <errno.h>
#include <stdlib.h>

#include "backend/block/engine.h"
#include "backend/block/remote.h"

/* A trim's length has 32 bits. */
#define DISCARD_MAX (1u << 30)

struct command {
	struct remote_command command; /* first: remote_user's done gets it */
	struct engine_io *io;
	struct command *next;
};

struct engine_nbd {
	struct engine engine;
	struct remote_user user;
	struct remote *remote;
	struct command *free;
	struct command command[];
};

static struct engine_nbd *self(struct engine *engine)
{
	return (struct engine_nbd *)engine;
}

static struct engine_nbd *engine_of(struct remote_user *user)
{
	return (struct engine_nbd *)((char *)user - offsetof(struct engine_nbd, user));
}

/* The next piece of the operation. */
static void command_queue(struct engine_nbd *nbd, struct command *command)
{
	struct engine_io *io = command->io;
	uint64_t most = io->op == ENGINE_DISCARD ? DISCARD_MAX : remote_length_max(nbd->remote);

	command->command.op = io->op;
	command->command.buffer = io->buffer;
	command->command.offset = io->offset;
	command->command.length = io->length < most ? io->length : most;
	remote_queue(nbd->remote, &command->command);
}

static int nbd_start(struct engine *engine, struct engine_io *io)
{
	struct engine_nbd *nbd = self(engine);
	struct command *command = nbd->free;

	if (!command)
		return -EAGAIN;
	nbd->free = command->next;
	command->io = io;
	command_queue(nbd, command);
	return 0;
}

static void nbd_submit(struct engine *engine)
{
	remote_submit(self(engine)->remote);
}

static void on_command(struct remote_command *done)
{
	struct engine_nbd *nbd = engine_of(done->user);
	struct command *command = (struct command *)done;
	struct engine_io *io = command->io;

	if (!done->rc && done->length < io->length) {
		if (io->buffer)
			io->buffer += done->length;
		io->offset += done->length;
		io->length -= done->length;
		command_queue(nbd, command);
		return;
	}
	command->next = nbd->free;
	nbd->free = command;
	io->done(io, done->rc);
}

static void on_batch(struct remote_user *user)
{
	struct engine_nbd *nbd = engine_of(user);

	nbd->engine.batch(nbd->engine.arg);
}

static void nbd_engine_close(struct engine *engine)
{
	struct engine_nbd *nbd = self(engine);

	remote_leave(nbd->remote, &nbd->user);
	free(nbd);
}

static const struct engine_class nbd_class = {
	.name = "nbd",
	.start = nbd_start,
	.submit = nbd_submit,
	.close = nbd_engine_close,
};

int engine_open_nbd(struct engine **engine, struct remote *remote,
		    const struct engine_options *options)
{
	struct engine_nbd *nbd = calloc(1, sizeof(*nbd) + options->depth * sizeof(nbd->command[0]));

	if (!nbd)
		return -ENOMEM;
	nbd->engine = (struct engine){&nbd_class, options->batch, options->arg};
	nbd->remote = remote;
	nbd->user.done = on_command;
	nbd->user.batch = on_batch;
	for (unsigned n = 0; n < options->depth; n++) {
		nbd->command[n].command.user = &nbd->user;
		nbd->command[n].next = nbd->free;
		nbd->free = &nbd->command[n];
	}
	remote_join(remote, &nbd->user);
	*engine = &nbd->engine;
	return 0;
}
