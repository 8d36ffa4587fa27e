#include "backend/block/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/log.h"

static int start(struct engine *engine, struct engine_io *io, enum engine_op op, void *buffer,
		 uint64_t offset, uint64_t length)
{
	io->op = op;
	io->buffer = buffer;
	io->offset = offset;
	io->length = length;
	io->next = NULL;
	io->rc = 0;
	return engine->class->start(engine, io);
}

int engine_read(struct engine *engine, struct engine_io *io, void *buffer, uint64_t offset,
		uint64_t length)
{
	return start(engine, io, ENGINE_READ, buffer, offset, length);
}

int engine_write(struct engine *engine, struct engine_io *io, void *buffer, uint64_t offset,
		 uint64_t length)
{
	return start(engine, io, ENGINE_WRITE, buffer, offset, length);
}

int engine_flush(struct engine *engine, struct engine_io *io)
{
	return start(engine, io, ENGINE_FLUSH, NULL, 0, 0);
}

int engine_discard(struct engine *engine, struct engine_io *io, uint64_t offset, uint64_t length)
{
	return start(engine, io, ENGINE_DISCARD, NULL, offset, length);
}

int engine_erase(struct engine *engine, struct engine_io *io, uint64_t offset, uint64_t length)
{
	return start(engine, io, ENGINE_ERASE, NULL, offset, length);
}

void engine_submit(struct engine *engine)
{
	engine->class->submit(engine);
}

unsigned engine_look(struct engine *engine)
{
	return engine->class->look ? engine->class->look(engine) : 0;
}

void engine_close(struct engine *engine)
{
	if (engine)
		engine->class->close(engine);
}

bool engine_is_device(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISBLK(st.st_mode);
}

int engine_open_file(struct engine **engine, int fd, const struct engine_options *options)
{
	int rc = engine_open_uring(engine, fd, options);

	if (rc != -ENOSYS && rc != -EPERM && rc != -EACCES)
		return rc;
	log_warn("io_uring is not allowed here (%s), disks use threads and are slower; "
		 "see kernel.io_uring_disabled in sysctl and the container's seccomp profile",
		 strerror(-rc));
	return engine_open_threads(engine, fd, options);
}
