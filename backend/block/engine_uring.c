/* A file through io_uring: one ring a queue, watched by its own descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/block/engine.h"

/*
 * The memory that buffers are in is registered, so that the kernel need not look its pages up for
 * each operation: in pieces, and as a whole for operations that cross them, each when it has been
 * used some times, as a quiet disk shall lock none.
 */
#define PIECE  (256u << 10)
#define PIECES 16u
#define WHOLE  PIECES
#define USES   64

/* Kernel threads a ring may use for what cannot be started without blocking. */
#define WORKERS_MAX 8

/* Storage that has nothing to do gets so many before the rest: it begins while we prepare that. */
#define EARLY 8

struct engine_uring {
	struct engine engine;
	struct io_uring ring;
	struct event *readable;
	int fd;         /* or its number in the ring's own table: */
	unsigned flags; /* IOSQE_FIXED_FILE */
	unsigned depth, under_way;
	unsigned to_submit;
	uint8_t *memory;          /* that may be registered, or NULL: none */
	size_t memory_size;       /* at most PIECES whole pieces */
	uint8_t uses[PIECES + 1]; /* of its pieces and its whole, up to USES: then registered */
	struct engine *threads;   /* for what io_uring cannot do; NULL before the first */
	bool device;              /* whose discards are of that */
	struct engine_options options;
	int file;
};

static struct engine_uring *self(struct engine *engine)
{
	return (struct engine_uring *)engine;
}

static int registered(struct engine_uring *uring, unsigned n, void *begin, size_t length)
{
	struct iovec vec = {begin, length};

	if (uring->uses[n] == USES)
		return (int)n;
	if (uring->uses[n] < USES - 1) {
		uring->uses[n]++;
		return -1;
	}
	if (io_uring_register_buffers_update_tag(&uring->ring, n, &vec, NULL, 1) != 1) {
		uring->memory = NULL; /* RLIMIT_MEMLOCK: it goes without */
		return -1;
	}
	uring->uses[n] = USES;
	return (int)n;
}

/* The number of what is registered and has an operation's buffer in it, or -1. */
static int memory_of(struct engine_uring *uring, const struct engine_io *io)
{
	uintptr_t at = (uintptr_t)io->buffer - (uintptr_t)uring->memory;
	unsigned piece = (unsigned)(at / PIECE);

	if (!uring->memory || at >= uring->memory_size)
		return -1;
	if (io->length > uring->memory_size - at)
		return -1;
	if (at % PIECE + io->length <= PIECE && uring->uses[WHOLE] < USES)
		return registered(uring, piece, uring->memory + piece * PIECE, PIECE);
	return registered(uring, WHOLE, uring->memory, uring->memory_size);
}

static void prepare(struct engine_uring *uring, struct io_uring_sqe *sqe, struct engine_io *io)
{
	unsigned length = (unsigned)io->length;
	int memory = -1;

	if (io->op == ENGINE_READ || io->op == ENGINE_WRITE)
		memory = memory_of(uring, io);
	switch (io->op) {
	case ENGINE_READ:
		if (memory < 0)
			io_uring_prep_read(sqe, uring->fd, io->buffer, length, io->offset);
		else
			io_uring_prep_read_fixed(sqe, uring->fd, io->buffer, length, io->offset,
						 memory);
		break;
	case ENGINE_WRITE:
		if (memory < 0)
			io_uring_prep_write(sqe, uring->fd, io->buffer, length, io->offset);
		else
			io_uring_prep_write_fixed(sqe, uring->fd, io->buffer, length, io->offset,
						  memory);
		break;
	case ENGINE_FLUSH:
		io_uring_prep_fsync(sqe, uring->fd, IORING_FSYNC_DATASYNC);
		break;
	default:
		io_uring_prep_fallocate(sqe, uring->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					(off_t)io->offset, (off_t)io->length);
		break;
	}
	io_uring_sqe_set_flags(sqe, uring->flags);
	io_uring_sqe_set_data(sqe, io);
}

/* What the kernel does not take now (EAGAIN, EBUSY) goes with the next completion. */
static void submit(struct engine_uring *uring)
{
	if (io_uring_submit(&uring->ring) >= 0)
		uring->to_submit = io_uring_sq_ready(&uring->ring);
}

/* The submission queue has room for depth: what is under way is never more. */
static void enqueue(struct engine_uring *uring, struct engine_io *io)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

	if (!sqe) {
		io_uring_submit(&uring->ring);
		sqe = io_uring_get_sqe(&uring->ring);
	}
	prepare(uring, sqe, io);
	uring->to_submit++;
	if (uring->to_submit == EARLY && uring->under_way == EARLY)
		submit(uring);
}

static int threads_start(struct engine_uring *uring, struct engine_io *io)
{
	int rc = 0;

	if (!uring->threads)
		rc = engine_open_threads(&uring->threads, uring->file, &uring->options);
	return rc ? rc : uring->threads->class->start(uring->threads, io);
}

static int uring_start(struct engine *engine, struct engine_io *io)
{
	struct engine_uring *uring = self(engine);

	if (io->op == ENGINE_ERASE || (io->op == ENGINE_DISCARD && uring->device))
		return threads_start(uring, io);
	if (uring->under_way == uring->depth)
		return -EAGAIN;
	uring->under_way++;
	enqueue(uring, io);
	return 0;
}

static void uring_submit(struct engine *engine)
{
	struct engine_uring *uring = self(engine);

	if (uring->threads)
		engine_submit(uring->threads);
	if (!uring->to_submit)
		return;
	submit(uring);
	if (uring->to_submit)
		event_active(uring->readable, EV_READ, 0);
}

/* How the operation ended; -EINPROGRESS when a part of it is left and was queued again. */
static int outcome(struct engine_uring *uring, struct engine_io *io, int result)
{
	if (result == -EAGAIN || result == -EINTR) {
		enqueue(uring, io);
		return -EINPROGRESS;
	}
	if (result < 0)
		return result == -ENOSYS ? -EOPNOTSUPP : result;
	if (io->op != ENGINE_READ && io->op != ENGINE_WRITE)
		return 0;
	if (!result)
		return -EIO;
	io->buffer += result;
	io->offset += (unsigned)result;
	io->length -= (unsigned)result;
	if (!io->length)
		return 0;
	enqueue(uring, io);
	return -EINPROGRESS;
}

static unsigned uring_look(struct engine *engine)
{
	struct engine_uring *uring = self(engine);
	struct io_uring_cqe *cqe;
	unsigned finished = uring->threads ? engine_look(uring->threads) : 0;

	while (!io_uring_peek_cqe(&uring->ring, &cqe)) {
		struct engine_io *io = io_uring_cqe_get_data(cqe);
		int rc = outcome(uring, io, cqe->res);

		io_uring_cqe_seen(&uring->ring, cqe);
		if (rc == -EINPROGRESS)
			continue;
		uring->under_way--;
		finished++;
		io->done(io, rc);
	}
	uring_submit(&uring->engine);
	return finished;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct engine_uring *uring = arg;

	if (uring_look(&uring->engine))
		uring->engine.batch(uring->engine.arg);
}

static void uring_close(struct engine *engine)
{
	struct engine_uring *uring = self(engine);

	engine_close(uring->threads);
	if (uring->readable)
		event_free(uring->readable);
	io_uring_queue_exit(&uring->ring);
	free(uring);
}

static const struct engine_class uring_class = {
	.name = "io_uring",
	.start = uring_start,
	.submit = uring_submit,
	.close = uring_close,
	.look = uring_look,
};

/* Debian 12's liburing declares functions for these, but does not have them. */
static int ring_register(struct engine_uring *uring, unsigned what, void *arg, unsigned count)
{
	return syscall(SYS_io_uring_register, uring->ring.ring_fd, what, arg, count) ? -errno : 0;
}

/*
 * No filter of system calls sees what is in a ring: let it take what we put there, for our file
 * alone, and no more than that, whoever has taken us over. Linux 5.10.
 */
static int restrict_to_ours(struct engine_uring *uring)
{
	static const uint8_t operations[] = {IORING_OP_READ,       IORING_OP_WRITE,
					     IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED,
					     IORING_OP_FSYNC,      IORING_OP_FALLOCATE};
	struct io_uring_restriction allowed[sizeof(operations) + 2] = {0};
	unsigned n = 0;
	int rc;

	for (; n < sizeof(operations); n++) {
		allowed[n].opcode = IORING_RESTRICTION_SQE_OP;
		allowed[n].sqe_op = operations[n];
	}
	allowed[n].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
	allowed[n++].sqe_flags = (uint8_t)uring->flags;
	allowed[n].opcode = IORING_RESTRICTION_REGISTER_OP;
	allowed[n++].register_op = IORING_REGISTER_BUFFERS_UPDATE;
	rc = ring_register(uring, IORING_REGISTER_RESTRICTIONS, allowed, n);
	return rc ? rc : ring_register(uring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static int ring_open(struct engine_uring *uring, bool *restricted)
{
	struct io_uring_params params = {.flags = IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED};
	int rc = io_uring_queue_init_params(uring->depth, &uring->ring, &params);

	*restricted = !rc;
	if (rc != -EINVAL)
		return rc;
	params = (struct io_uring_params){.flags = IORING_SETUP_CLAMP};
	return io_uring_queue_init_params(uring->depth, &uring->ring, &params);
}

int engine_open_uring(struct engine **engine, int fd, const struct engine_options *options)
{
	unsigned workers[2] = {WORKERS_MAX, WORKERS_MAX};
	struct engine_uring *uring = calloc(1, sizeof(*uring));
	bool restricted;
	int rc;

	if (!uring)
		return -ENOMEM;
	uring->engine = (struct engine){&uring_class, options->batch, options->arg};
	uring->fd = uring->file = fd;
	uring->device = engine_is_device(fd);
	uring->options = *options;
	uring->depth = options->depth;
	rc = ring_open(uring, &restricted);
	if (rc) {
		free(uring);
		return rc;
	}
	if (!io_uring_register_files(&uring->ring, &fd, 1)) {
		uring->fd = 0;
		uring->flags = IOSQE_FIXED_FILE;
	}
	if (options->memory && !io_uring_register_buffers_sparse(&uring->ring, PIECES + 1)) {
		uring->memory = options->memory;
		uring->memory_size = options->memory_size;
		if (uring->memory_size > PIECES * PIECE)
			uring->memory_size = PIECES * PIECE;
		uring->memory_size -= uring->memory_size % PIECE;
	}
	io_uring_register_iowq_max_workers(&uring->ring, workers); /* Linux 5.15; no harm without */
	rc = restricted ? restrict_to_ours(uring) : 0;
	if (rc) {
		io_uring_queue_exit(&uring->ring);
		free(uring);
		return rc;
	}
	uring->readable = event_new(options->base, uring->ring.ring_fd, EV_READ | EV_PERSIST,
				    on_readable, uring);
	if (!uring->readable || event_add(uring->readable, NULL)) {
		uring_close(&uring->engine);
		return -ENOMEM;
	}
	*engine = &uring->engine;
	return 0;
}
