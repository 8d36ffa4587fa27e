/* A file through pread(2) and its kin in threads: where io_uring is forbidden. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backend/block/engine.h"

#define THREADS 8

struct list {
	struct engine_io *first, **end;
};

struct engine_threads {
	struct engine engine;
	struct event *readable;
	int fd, done_fd;
	bool device;
	unsigned depth, under_way; /* the loop's own */
	pthread_t thread[THREADS];
	unsigned threads;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;
	struct list waiting, finished;
	bool closing;
};

static void list_init(struct list *list)
{
	list->first = NULL;
	list->end = &list->first;
}

static void list_append(struct list *list, struct engine_io *io)
{
	io->next = NULL;
	*list->end = io;
	list->end = &io->next;
}

static struct engine_io *list_take(struct list *list)
{
	struct engine_io *io = list->first;

	if (!io)
		return NULL;
	list->first = io->next;
	if (!list->first)
		list->end = &list->first;
	return io;
}

static int move(int fd, const struct engine_io *io)
{
	uint64_t moved = 0;

	while (moved < io->length) {
		size_t left = io->length - moved;
		off_t at = (off_t)(io->offset + moved);
		ssize_t n = io->op == ENGINE_READ ? pread(fd, io->buffer + moved, left, at)
						  : pwrite(fd, io->buffer + moved, left, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		moved += (uint64_t)n;
	}
	return 0;
}

static int hole_punch(int fd, const struct engine_io *io)
{
	if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)io->offset,
		       (off_t)io->length))
		return 0;
	return errno == ENOSYS ? -EOPNOTSUPP : -errno;
}

/* @how: BLKDISCARD or BLKSECDISCARD. */
static int device_discard(int fd, unsigned long how, const struct engine_io *io)
{
	uint64_t range[2] = {io->offset, io->length};

	if (!ioctl(fd, how, range))
		return 0;
	return errno == ENOTTY ? -EOPNOTSUPP : -errno;
}

static int perform(const struct engine_threads *threads, const struct engine_io *io)
{
	int fd = threads->fd;

	switch (io->op) {
	case ENGINE_FLUSH:
		return fdatasync(fd) ? -errno : 0;
	case ENGINE_DISCARD:
		return threads->device ? device_discard(fd, BLKDISCARD, io) : hole_punch(fd, io);
	case ENGINE_ERASE:
		return device_discard(fd, BLKSECDISCARD, io);
	default:
		return move(fd, io);
	}
}

static void *thread_main(void *arg)
{
	struct engine_threads *threads = arg;
	const uint64_t one = 1;

	pthread_mutex_lock(&threads->lock);
	while (!threads->closing) {
		struct engine_io *io = list_take(&threads->waiting);

		if (!io) {
			pthread_cond_wait(&threads->work, &threads->lock);
			continue;
		}
		pthread_mutex_unlock(&threads->lock);
		io->rc = perform(threads, io);
		pthread_mutex_lock(&threads->lock);
		list_append(&threads->finished, io);
		(void)!write(threads->done_fd, &one, sizeof(one));
	}
	pthread_mutex_unlock(&threads->lock);
	return NULL;
}

static int threads_start(struct engine *engine, struct engine_io *io)
{
	struct engine_threads *threads = (struct engine_threads *)engine;

	if (threads->under_way == threads->depth)
		return -EAGAIN;
	threads->under_way++;
	pthread_mutex_lock(&threads->lock);
	list_append(&threads->waiting, io);
	pthread_mutex_unlock(&threads->lock);
	return 0;
}

static void threads_submit(struct engine *engine)
{
	struct engine_threads *threads = (struct engine_threads *)engine;

	pthread_cond_broadcast(&threads->work);
}

static unsigned threads_look(struct engine *engine)
{
	struct engine_threads *threads = (struct engine_threads *)engine;
	struct engine_io *io, *next;
	unsigned finished = 0;

	if (!__atomic_load_n(&threads->finished.first, __ATOMIC_RELAXED))
		return 0;
	pthread_mutex_lock(&threads->lock);
	io = threads->finished.first;
	list_init(&threads->finished);
	pthread_mutex_unlock(&threads->lock);
	for (; io; io = next) {
		next = io->next;
		threads->under_way--;
		finished++;
		io->done(io, io->rc);
	}
	if (finished)
		threads_submit(engine);
	return finished;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct engine_threads *threads = arg;
	uint64_t count;

	(void)!read(threads->done_fd, &count, sizeof(count));
	if (threads_look(&threads->engine))
		threads->engine.batch(threads->engine.arg);
}

static void threads_close(struct engine *engine)
{
	struct engine_threads *threads = (struct engine_threads *)engine;

	pthread_mutex_lock(&threads->lock);
	threads->closing = true;
	pthread_cond_broadcast(&threads->work);
	pthread_mutex_unlock(&threads->lock);
	while (threads->threads)
		pthread_join(threads->thread[--threads->threads], NULL);
	if (threads->readable)
		event_free(threads->readable);
	if (threads->done_fd >= 0)
		close(threads->done_fd);
	pthread_cond_destroy(&threads->work);
	pthread_mutex_destroy(&threads->lock);
	free(threads);
}

static const struct engine_class threads_class = {
	.name = "threads",
	.start = threads_start,
	.submit = threads_submit,
	.close = threads_close,
	.look = threads_look,
};

int engine_open_threads(struct engine **engine, int fd, const struct engine_options *options)
{
	struct engine_threads *threads = calloc(1, sizeof(*threads));
	int rc = -ENOMEM;

	if (!threads)
		return -ENOMEM;
	threads->engine = (struct engine){&threads_class, options->batch, options->arg};
	threads->fd = fd;
	threads->device = engine_is_device(fd);
	threads->depth = options->depth;
	list_init(&threads->waiting);
	list_init(&threads->finished);
	pthread_mutex_init(&threads->lock, NULL);
	pthread_cond_init(&threads->work, NULL);
	threads->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (threads->done_fd < 0)
		goto fail;
	threads->readable = event_new(options->base, threads->done_fd, EV_READ | EV_PERSIST,
				      on_readable, threads);
	if (!threads->readable || event_add(threads->readable, NULL))
		goto fail;
	while (threads->threads < THREADS) {
		rc = -pthread_create(&threads->thread[threads->threads], NULL, thread_main,
				     threads);
		if (rc)
			goto fail;
		threads->threads++;
	}
	*engine = &threads->engine;
	return 0;

fail:
	threads_close(&threads->engine);
	return rc;
}
