#include "toolstack/domain/saved.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "toolstack/io.h"

/* xl_vmcontrol.c: struct save_file_header. The magic has its NUL in the middle. */
static const char magic[32] = "Xen saved domain, xl format\n \0 \r";

#define BYTE_ORDER_MARK 0x01020304u
#define FLAG_JSON       (1u << 0)
#define FLAG_STREAM_V2  (1u << 1)

struct xl_header {
	char magic[32];
	uint32_t byte_order;
	uint32_t mandatory_flags;
	uint32_t optional_flags;
	uint32_t optional_length;
};

/* libxl_sr_stream_format.h; the first is in network order. */
#define STREAM_IDENT   0x4c6962786c466d74ull
#define STREAM_VERSION 2u

struct libxl_header {
	uint64_t ident;
	uint32_t version;
	uint32_t options;
};

struct record_header {
	uint32_t type;
	uint32_t length;
};

struct model_header {
	uint32_t id;
	uint32_t index;
};

#define MODEL_QEMU 2u
#define RECORD_PAD 8u

static uint64_t padding(uint64_t length)
{
	return (RECORD_PAD - length % RECORD_PAD) % RECORD_PAD;
}

int saved_head_write(int fd, const char *config)
{
	uint32_t length = (uint32_t)strlen(config);
	struct xl_header header = {
		.byte_order = BYTE_ORDER_MARK,
		.mandatory_flags = FLAG_STREAM_V2,
		.optional_length = (uint32_t)sizeof(length) + length,
	};
	const struct libxl_header stream = {.ident = htobe64(STREAM_IDENT),
					    .version = htobe32(STREAM_VERSION)};
	const struct record_header libxc = {.type = SAVED_LIBXC};
	int rc;

	memcpy(header.magic, magic, sizeof(magic));
	rc = io_write(fd, &header, sizeof(header));
	if (!rc)
		rc = io_write(fd, &length, sizeof(length));
	if (!rc)
		rc = io_write(fd, config, length);
	if (!rc)
		rc = io_write(fd, &stream, sizeof(stream));
	return rc ? rc : io_write(fd, &libxc, sizeof(libxc));
}

static int unread(int rc, const char *what, struct fault *fault)
{
	if (rc == -ENODATA)
		return fault_set(fault, -EINVAL, "%s: ends too early; it was not saved to its end",
				 what);
	return fault_set(fault, rc, "%s: cannot read it: %s", what, strerror(-rc));
}

static const char *header_wrong(const struct xl_header *header)
{
	if (memcmp(header->magic, magic, sizeof(magic)) != 0)
		return "is no saved domain; give a file that xsplit save wrote";
	if (header->byte_order != BYTE_ORDER_MARK)
		return "was saved on a machine of another byte order";
	if (header->mandatory_flags & FLAG_JSON)
		return "was saved by xl, with its config as JSON; xl restore takes it";
	if (header->mandatory_flags != FLAG_STREAM_V2)
		return "has features that this version does not know";
	if (header->optional_length < sizeof(uint32_t) ||
	    header->optional_length > SAVED_CONFIG_MAX)
		return "has no config in it";
	return NULL;
}

static int config_read(int fd, const struct xl_header *header, const char *what, char **config,
		       struct fault *fault)
{
	uint32_t room = header->optional_length - (uint32_t)sizeof(uint32_t), length;
	char *text = malloc(room + 1);
	int rc;

	if (!text)
		return fault_memory(fault);
	rc = io_read(fd, &length, sizeof(length));
	if (!rc)
		rc = io_read(fd, text, room);
	if (rc) {
		rc = unread(rc, what, fault);
	} else if (length > room) {
		rc = fault_set(fault, -EINVAL, "%s: its config is longer than its place", what);
	} else {
		text[length] = '\0';
		*config = text;
		return 0;
	}
	free(text);
	return rc;
}

static int stream_read(int fd, const char *what, struct fault *fault)
{
	struct libxl_header stream;
	struct record_header record;
	int rc = io_read(fd, &stream, sizeof(stream));

	if (!rc)
		rc = io_read(fd, &record, sizeof(record));
	if (rc)
		return unread(rc, what, fault);
	if (stream.ident != htobe64(STREAM_IDENT) || stream.version != htobe32(STREAM_VERSION) ||
	    stream.options || record.type != SAVED_LIBXC || record.length)
		return fault_set(fault, -EINVAL, "%s: its stream is not libxl's of version 2",
				 what);
	return 0;
}

int saved_head_read(int fd, const char *what, char **config, struct fault *fault)
{
	struct xl_header header;
	const char *wrong;
	int rc = io_read(fd, &header, sizeof(header));

	if (rc)
		return unread(rc, what, fault);
	wrong = header_wrong(&header);
	if (wrong)
		return fault_set(fault, -EINVAL, "%s %s", what, wrong);
	rc = config_read(fd, &header, what, config, fault);
	if (rc)
		return rc;
	rc = stream_read(fd, what, fault);
	if (rc) {
		free(*config);
		*config = NULL;
	}
	return rc;
}

/* libxl wants the first of the two, which of our QEMU is empty. */
static int model_write(int fd, int state_fd, uint64_t size)
{
	static const char zeros[RECORD_PAD];
	const struct model_header model = {.id = MODEL_QEMU};
	struct record_header record = {.type = SAVED_MODEL_STORE, .length = sizeof(model)};
	int rc = io_write(fd, &record, sizeof(record));

	if (!rc)
		rc = io_write(fd, &model, sizeof(model));
	record.type = SAVED_MODEL;
	record.length = (uint32_t)(sizeof(model) + size);
	if (!rc)
		rc = io_write(fd, &record, sizeof(record));
	if (!rc)
		rc = io_write(fd, &model, sizeof(model));
	if (!rc)
		rc = io_copy(state_fd, fd, size);
	return rc ? rc : io_write(fd, zeros, padding(size));
}

int saved_tail_write(int fd, int state_fd, uint64_t size)
{
	const struct record_header end = {.type = SAVED_END};
	int rc = 0;

	if (size > SAVED_MODEL_MAX - sizeof(struct model_header))
		return -EFBIG;
	if (state_fd >= 0)
		rc = model_write(fd, state_fd, size);
	return rc ? rc : io_write(fd, &end, sizeof(end));
}

static int skip(int fd, uint64_t size)
{
	char piece[256];
	int rc = 0;

	while (size && !rc) {
		size_t now = size < sizeof(piece) ? (size_t)size : sizeof(piece);

		rc = io_read(fd, piece, now);
		size -= now;
	}
	return rc;
}

static int model_read(int fd, const struct record_header *record, int *state_fd)
{
	struct model_header model;
	uint64_t size = record->length - sizeof(model);
	int rc = io_read(fd, &model, sizeof(model));

	if (!rc && (model.id != MODEL_QEMU || *state_fd >= 0))
		rc = -EINVAL;
	if (rc)
		return rc;
	*state_fd = memfd_create("device-model-state", MFD_CLOEXEC);
	if (*state_fd < 0)
		return -errno;
	rc = io_copy(fd, *state_fd, size);
	if (!rc)
		rc = skip(fd, padding(size));
	return rc || !lseek(*state_fd, 0, SEEK_SET) ? rc : -errno;
}

static int record_read(int fd, const struct record_header *record, int *state_fd)
{
	if (record->length > SAVED_MODEL_MAX)
		return -EINVAL;
	switch (record->type) {
	case SAVED_MODEL_STORE:
		return skip(fd, record->length + padding(record->length));
	case SAVED_MODEL:
		return record->length < sizeof(struct model_header)
			       ? -EINVAL
			       : model_read(fd, record, state_fd);
	default:
		return -EINVAL;
	}
}

int saved_tail_read(int fd, const char *what, int *state_fd, struct fault *fault)
{
	struct record_header record = {.type = SAVED_LIBXC};
	int rc = 0;

	*state_fd = -1;
	while (!rc) {
		rc = io_read(fd, &record, sizeof(record));
		if (rc || record.type == SAVED_END)
			break;
		rc = record_read(fd, &record, state_fd);
	}
	if (!rc)
		return 0;
	if (*state_fd >= 0)
		close(*state_fd);
	*state_fd = -1;
	if (rc == -EINVAL)
		return fault_set(fault, rc, "%s: a record of type %u behind the memory is wrong",
				 what, record.type);
	return unread(rc, what, fault);
}
