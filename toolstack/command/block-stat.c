#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/histogram.h"
#include "lib/number.h"
#include "toolstack/command/block.h"
#include "toolstack/config/vdev.h"
#include "toolstack/device/backend.h"
#include "toolstack/domain/name.h"

#define WATCH_SECONDS_MAX 86400u

/* What the columns show. */
enum { READS, WRITES, FLUSHES, DISCARDS, ERRORS, BYTES_READ, BYTES_WRITTEN, COUNTERS };

/* A disk at a moment, all its queues together. */
struct moment {
	uint16_t domid;
	uint32_t devid;
	size_t queues;
	uint64_t count[COUNTERS];
	uint64_t copy_calls, copy_segments, notifications, answered, poll_ns;
	struct histogram total;
};

struct moments {
	struct moment *moment;
	size_t count;
};

struct watch {
	const struct moments *before; /* NULL: show what came in all */
	double seconds;
};

/* ---- out of the answer ---- */

static yajl_val member(yajl_val object, const char *key, yajl_type type)
{
	const char *path[] = {key, NULL};

	return yajl_tree_get(object, path, type);
}

static void histogram_take(struct histogram *histogram, yajl_val latency)
{
	yajl_val buckets = latency ? member(latency, "buckets", yajl_t_array) : NULL;

	for (size_t n = 0; buckets && n < buckets->u.array.len; n++) {
		yajl_val pair = buckets->u.array.values[n];

		if (!YAJL_IS_ARRAY(pair) || pair->u.array.len != 2 ||
		    !YAJL_IS_INTEGER(pair->u.array.values[0]) ||
		    !YAJL_IS_INTEGER(pair->u.array.values[1]))
			continue;
		histogram->count[histogram_bucket(
			(uint64_t)YAJL_GET_INTEGER(pair->u.array.values[0]))] +=
			(uint64_t)YAJL_GET_INTEGER(pair->u.array.values[1]);
	}
}

static void queue_take(struct moment *moment, yajl_val queue)
{
	yajl_val requests = member(queue, "requests", yajl_t_object);
	uint64_t *count = moment->count;

	if (!requests)
		return;
	count[READS] += (uint64_t)backend_number(requests, "read");
	count[WRITES] += (uint64_t)backend_number(requests, "write");
	count[FLUSHES] +=
		(uint64_t)(backend_number(requests, "flush") + backend_number(requests, "barrier"));
	count[DISCARDS] += (uint64_t)backend_number(requests, "discard");
	count[ERRORS] +=
		(uint64_t)(backend_number(queue, "errors") + backend_number(queue, "refused"));
	count[BYTES_READ] += (uint64_t)backend_number(queue, "bytes_read");
	count[BYTES_WRITTEN] += (uint64_t)backend_number(queue, "bytes_written");
	moment->copy_calls += (uint64_t)backend_number(queue, "copy_calls");
	moment->copy_segments += (uint64_t)backend_number(queue, "copy_segments");
	moment->notifications += (uint64_t)backend_number(queue, "notifications");
	moment->poll_ns += (uint64_t)backend_number(queue, "poll_ns");
	histogram_take(&moment->total, member(queue, "total", yajl_t_object));
}

static void device_take(struct moment *moment, yajl_val device)
{
	yajl_val queues = member(device, "queues", yajl_t_array);

	memset(moment, 0, sizeof(*moment));
	moment->domid = (uint16_t)backend_number(device, "domid");
	moment->devid = (uint32_t)backend_number(device, "devid");
	moment->queues = queues ? queues->u.array.len : 0;
	for (size_t n = 0; n < moment->queues; n++)
		queue_take(moment, queues->u.array.values[n]);
	for (int n = READS; n <= ERRORS; n++)
		moment->answered += moment->count[n];
}

static int order(const void *a, const void *b)
{
	const struct moment *one = a, *two = b;

	if (one->domid != two->domid)
		return one->domid < two->domid ? -1 : 1;
	return one->devid < two->devid ? -1 : one->devid > two->devid;
}

static int moments_take(yajl_val root, struct moments *moments)
{
	yajl_val devices = member(root, "devices", yajl_t_array);
	size_t count = devices ? devices->u.array.len : 0;

	*moments = (struct moments){0};
	moments->moment = calloc(count ? count : 1, sizeof(*moments->moment));
	if (!moments->moment)
		return -ENOMEM;
	for (; moments->count < count; moments->count++)
		device_take(&moments->moment[moments->count],
			    devices->u.array.values[moments->count]);
	qsort(moments->moment, count, sizeof(*moments->moment), order);
	return 0;
}

/* ---- shown ---- */

static uint64_t less(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* What came since @before; a disk that was attached meanwhile began at 0. */
static void subtract(struct moment *moment, const struct moment *before)
{
	for (int n = 0; n < COUNTERS; n++)
		moment->count[n] = less(moment->count[n], before->count[n]);
	moment->copy_calls = less(moment->copy_calls, before->copy_calls);
	moment->copy_segments = less(moment->copy_segments, before->copy_segments);
	moment->notifications = less(moment->notifications, before->notifications);
	moment->answered = less(moment->answered, before->answered);
	moment->poll_ns = less(moment->poll_ns, before->poll_ns);
	for (unsigned n = 0; n < HISTOGRAM_BUCKETS; n++)
		moment->total.count[n] = less(moment->total.count[n], before->total.count[n]);
}

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

static void header_show(bool rates)
{
	const char *per = rates ? "/s" : "";

	printf("%6s %-6s %2s %9s%s %9s%s %7s%s %7s%s %6s %9s%s %9s%s %8s %8s %8s %7s %7s%s\n",
	       "Domain", "Vdev", "Qs", "Reads", per, "Writes", per, "Flushes", per, "Discards", per,
	       "Errors", "MiB-read", per, "MiB-wrtn", per, "p50-us", "p99-us", "max-us", "Seg/cpy",
	       "Req/evt", rates ? "  Poll%" : "");
}

static void moment_show(const struct moment *moment, const struct watch *watch)
{
	double seconds = watch->before ? watch->seconds : 1;
	int more = watch->before ? 2 : 0; /* the header's "/s" */
	char name[VDEV_NAME_SIZE];
	const uint64_t *count = moment->count;

	vdev_name(moment->devid, name);
	printf("%6u %-6s %2zu %*.0f %*.0f %*.0f %*.0f %6" PRIu64 " %*.1f %*.1f %8.1f %8.1f %8.1f "
	       "%7.1f %7.1f",
	       moment->domid, name, moment->queues, 9 + more, (double)count[READS] / seconds,
	       9 + more, (double)count[WRITES] / seconds, 7 + more,
	       (double)count[FLUSHES] / seconds, 8 + more, (double)count[DISCARDS] / seconds,
	       count[ERRORS], 9 + more, (double)count[BYTES_READ] / seconds / 1048576, 9 + more,
	       (double)count[BYTES_WRITTEN] / seconds / 1048576,
	       (double)histogram_quantile(&moment->total, 500) / 1000,
	       (double)histogram_quantile(&moment->total, 990) / 1000,
	       (double)histogram_quantile(&moment->total, 1000) / 1000,
	       ratio(moment->copy_segments, moment->copy_calls),
	       ratio(moment->answered, moment->notifications));
	if (watch->before)
		printf(" %6.1f", (double)moment->poll_ns / seconds / 1e7);
	putchar('\n');
}

static void moments_show(const struct moments *moments, const struct watch *watch)
{
	header_show(watch->before != NULL);
	for (size_t n = 0; n < moments->count; n++) {
		struct moment moment = moments->moment[n];
		const struct moment *before =
			watch->before ? bsearch(&moment, watch->before->moment,
						watch->before->count, sizeof(moment), order)
				      : NULL;

		if (before)
			subtract(&moment, before);
		moment_show(&moment, watch);
	}
	fflush(stdout);
}

/* ---- the command ---- */

struct wish {
	char **words; /* DOMAIN and a disk, as far as given */
	bool json;
	uint32_t seconds; /* between two looks; 0: one look */
	int domid;        /* or -1 */
	struct device device;
	bool one; /* device is meant */
};

static int target_find(struct toolstack *ts, struct wish *wish, struct fault *fault)
{
	uint16_t domid = 0;
	int rc = 0;

	wish->domid = -1;
	if (wish->words[0]) {
		rc = name_find(ts, wish->words[0], &domid, fault);
		wish->domid = domid;
	}
	if (!rc && wish->words[0] && wish->words[1]) {
		rc = devices_find(ts, &block_class, domid, wish->words[1], &wish->device, fault);
		wish->one = true;
	}
	return rc;
}

static int look(const struct wish *wish, struct watch *watch, struct moments *now,
		struct fault *fault)
{
	struct backend_answer answer;
	int rc =
		backend_ask("stats", wish->domid, wish->one ? &wish->device : NULL, &answer, fault);

	*now = (struct moments){0};
	if (rc)
		return rc;
	if (wish->json) {
		puts(answer.text);
		fflush(stdout);
	} else if (moments_take(answer.root, now)) {
		rc = fault_memory(fault);
	} else {
		moments_show(now, watch);
	}
	backend_answer_free(&answer);
	return rc;
}

/* The first look shows all that came, the others what came since the look before. */
static int watch_run(const struct wish *wish, struct fault *fault)
{
	struct moments before = {0}, now;
	struct watch watch = {.seconds = wish->seconds};
	int rc = look(wish, &watch, &before, fault);

	while (!rc && wish->seconds && !ferror(stdout)) {
		poll(NULL, 0, (int)wish->seconds * 1000);
		watch.before = &before;
		rc = look(wish, &watch, &now, fault);
		free(before.moment);
		before = now;
	}
	free(before.moment);
	return rc;
}

int command_block_stat(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"watch", optional_argument, NULL, 'w'}, {0}};
	struct wish wish = {0};
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	uint64_t seconds = 1;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (argc - optind > 2)
		return command_usage(self, "give a DOMAIN and one disk, or less");
	if (given_value(&given, 'w') &&
	    (number_parse(given_value(&given, 'w'), WATCH_SECONDS_MAX, &seconds) || !seconds))
		return command_usage(self, "--watch=%s is not a number of seconds",
				     given_value(&given, 'w'));
	wish.words = argv + optind;
	wish.json = given_has(&given, 'j');
	wish.seconds = given_has(&given, 'w') ? (uint32_t)seconds : 0;
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = target_find(&ts, &wish, &fault);
		toolstack_close(&ts);
	}
	if (!rc)
		rc = watch_run(&wish, &fault);
	return rc ? command_failed(&fault, wish.json) : EXIT_DONE;
}
