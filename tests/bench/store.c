/*
 * store-bench SOCKET [CONNECTIONS WATCHES] - raw requests on a XenStore socket, in operations a
 * second.
 *
 * First CONNECTIONS clients (0) register WATCHES (0) each, on nodes that nobody touches. Each
 * figure is the median of five runs. Pin it and the daemon to one processor (taskset), or the
 * placement of the two decides.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#define RUNS     5
#define REQUESTS 20000
#define PIPELINE 32
#define SIBLINGS 8000

struct batch {
	size_t size, replies;
	char bytes[PIPELINE * 128];
};

static int store_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "%s", path);
	return fd;
}

static void batch_add(struct batch *batch, uint32_t type, uint32_t transaction, const char *body,
		      size_t size)
{
	struct xsd_sockmsg header = {type, 1, transaction, size};

	if (batch->size + sizeof(header) + size > sizeof(batch->bytes))
		errx(1, "a batch is too small");
	memcpy(batch->bytes + batch->size, &header, sizeof(header));
	memcpy(batch->bytes + batch->size + sizeof(header), body, size);
	batch->size += sizeof(header) + size;
	batch->replies++;
}

/* Send a batch and read all its replies; the last one's body is kept. */
static void batch_run(int fd, const struct batch *batch, char body[XENSTORE_PAYLOAD_MAX + 1])
{
	static char buffer[256 * 1024];
	size_t have = 0, left = batch->replies, at = 0;

	if (write(fd, batch->bytes, batch->size) != (ssize_t)batch->size)
		err(1, "write");
	while (left) {
		struct xsd_sockmsg header;
		ssize_t n = read(fd, buffer + have, sizeof(buffer) - have);

		if (n <= 0)
			err(1, "read");
		have += n;
		while (left && have - at >= sizeof(header)) {
			memcpy(&header, buffer + at, sizeof(header));
			if (have - at - sizeof(header) < header.len)
				break;
			if (header.type == XS_ERROR)
				errx(1, "refused: %s", buffer + at + sizeof(header));
			memcpy(body, buffer + at + sizeof(header), header.len);
			body[header.len] = '\0';
			at += sizeof(header) + header.len;
			left -= header.type != XS_WATCH_EVENT;
		}
	}
}

static void ask(int fd, uint32_t type, uint32_t transaction, const char *body, size_t size,
		char reply[XENSTORE_PAYLOAD_MAX + 1])
{
	struct batch one = {0};

	batch_add(&one, type, transaction, body, size);
	batch_run(fd, &one, reply);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double one = *(const double *)a, two = *(const double *)b;

	return (one > two) - (one < two);
}

static void report(const char *what, double rate[RUNS])
{
	qsort(rate, RUNS, sizeof(rate[0]), by_value);
	printf("%-24s %9.0f /s\n", what, rate[RUNS / 2]);
}

static void requests(int fd, const char *what, uint32_t type, const char *body, size_t size,
		     int depth)
{
	char reply[XENSTORE_PAYLOAD_MAX + 1];
	struct batch batch = {0};
	double rate[RUNS];

	for (int i = 0; i < depth; i++)
		batch_add(&batch, type, 0, body, size);
	for (int run = 0; run < RUNS; run++) {
		double start = now();

		for (int i = 0; i < REQUESTS / depth; i++)
			batch_run(fd, &batch, reply);
		rate[run] = REQUESTS / (now() - start);
	}
	report(what, rate);
}

static void transactions(int fd)
{
	char reply[XENSTORE_PAYLOAD_MAX + 1], body[64];
	double rate[RUNS];

	for (int run = 0; run < RUNS; run++) {
		double start = now();

		for (int i = 0; i < REQUESTS / 20; i++) {
			uint32_t id;

			ask(fd, XS_TRANSACTION_START, 0, "", 1, reply);
			id = strtoul(reply, NULL, 10);
			for (int k = 0; k < 10; k++) {
				int size = snprintf(body, sizeof(body), "/bench/t/%d", k) + 2;

				ask(fd, XS_WRITE, id, body, size, reply);
			}
			ask(fd, XS_TRANSACTION_END, id, "T", 2, reply);
		}
		rate[run] = REQUESTS / 20.0 / (now() - start);
	}
	report("transactions of 10", rate);
}

static void siblings(int fd)
{
	char reply[XENSTORE_PAYLOAD_MAX + 1], body[64];
	double made[RUNS], removed[RUNS];

	for (int run = 0; run < RUNS; run++) {
		double start = now();

		for (int i = 0; i < SIBLINGS; i++) {
			int size = snprintf(body, sizeof(body), "/bench/many/%d", i) + 1;

			ask(fd, XS_MKDIR, 0, body, size, reply);
		}
		made[run] = SIBLINGS / (now() - start);
		start = now();
		ask(fd, XS_RM, 0, "/bench/many", sizeof("/bench/many"), reply);
		removed[run] = SIBLINGS / (now() - start);
	}
	report("8000 siblings: make", made);
	report("8000 siblings: remove", removed);
}

static void watch(const char *path, int connections, int watches)
{
	char reply[XENSTORE_PAYLOAD_MAX + 1], body[64];

	for (int c = 0; c < connections; c++) {
		int fd = store_connect(path);

		for (int w = 0; w < watches; w++) {
			int size = snprintf(body, sizeof(body), "/unrelated/%d/%d", c, w) + 1;

			size += snprintf(body + size, sizeof(body) - size, "token") + 1;
			ask(fd, XS_WATCH, 0, body, size, reply);
		}
	}
}

int main(int argc, char *argv[])
{
	static const char key[] = "/bench/key", pair[] = "/bench/key\0value";
	char reply[XENSTORE_PAYLOAD_MAX + 1];
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0); /* each figure when it is known */
	if (argc != 2 && argc != 4)
		errx(2, "usage: %s SOCKET [CONNECTIONS WATCHES]", argv[0]);
	fd = store_connect(argv[1]);
	if (argc == 4)
		watch(argv[1], (int)strtoul(argv[2], NULL, 10), (int)strtoul(argv[3], NULL, 10));
	ask(fd, XS_WRITE, 0, pair, sizeof(pair) - 1, reply);
	requests(fd, "read", XS_READ, key, sizeof(key), 1);
	requests(fd, "write", XS_WRITE, pair, sizeof(pair) - 1, 1);
	requests(fd, "read, 32 at once", XS_READ, key, sizeof(key), PIPELINE);
	requests(fd, "write, 32 at once", XS_WRITE, pair, sizeof(pair) - 1, PIPELINE);
	transactions(fd);
	siblings(fd);
	ask(fd, XS_RM, 0, "/bench", sizeof("/bench"), reply);
	return 0;
}
