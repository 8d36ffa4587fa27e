/* The supervisor's half of a vbd: what it counts, as JSON and for Prometheus. */
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/block/vbd_device.h"
#include "lib/json.h"

static const struct vbd_device *self(const struct device *dev)
{
	return (const struct vbd_device *)dev;
}

static uint64_t size_of(const struct vbd_device *vbd)
{
	return vbd->storage ? vbd->storage->image.size : 0;
}

/* ---- JSON ---- */

static void latency_tell(yajl_gen json, const char *name, const struct histogram *histogram)
{
	static const struct {
		const char *name;
		unsigned permille;
	} quantiles[] = {{"p50_ns", 500},
			 {"p90_ns", 900},
			 {"p99_ns", 990},
			 {"p999_ns", 999},
			 {"max_ns", 1000}};
	uint64_t count = histogram_total(histogram);

	json_key(json, name);
	yajl_gen_map_open(json);
	json_number(json, "count", (long long)count);
	json_number(json, "mean_ns", count ? (long long)(histogram->sum / count) : 0);
	for (size_t n = 0; n < sizeof(quantiles) / sizeof(quantiles[0]); n++)
		json_number(json, quantiles[n].name,
			    (long long)histogram_quantile(histogram, quantiles[n].permille));
	json_key(json, "buckets"); /* [at least so many ns, how often] */
	yajl_gen_array_open(json);
	for (unsigned n = 0; n < HISTOGRAM_BUCKETS; n++) {
		if (!histogram->count[n])
			continue;
		yajl_gen_array_open(json);
		yajl_gen_integer(json, (long long)histogram_floor(n));
		yajl_gen_integer(json, (long long)histogram->count[n]);
		yajl_gen_array_close(json);
	}
	yajl_gen_array_close(json);
	yajl_gen_map_close(json);
}

static void queue_tell(yajl_gen json, const struct stats_queue *stats)
{
	yajl_gen_map_open(json);
	json_key(json, "requests");
	yajl_gen_map_open(json);
	for (unsigned op = 0; op < STATS_OPS; op++)
		json_number(json, stats_op_name(op), (long long)stats->requests[op]);
	yajl_gen_map_close(json);
	for (const struct stats_counter *counter = stats_counters; counter->name; counter++)
		json_number(json, counter->name, (long long)stats_counter_value(stats, counter));
	latency_tell(json, "copy", &stats->copy);
	latency_tell(json, "device", &stats->device);
	latency_tell(json, "total", &stats->total);
	yajl_gen_map_close(json);
}

void vbd_tell(struct device *dev, yajl_gen json)
{
	const struct vbd_device *vbd = self(dev);
	struct stats_queue copy;
	char limits[QOS_TEXT_SIZE];

	qos_print(&vbd->settings.qos, limits);
	json_number(json, "bytes", (long long)size_of(vbd));
	json_bool(json, "read_only", vbd->read_only);
	json_bool(json, "paused", vbd->settings.paused);
	json_bool(json, "away", vbd->settings.away);
	json_string(json, "qos", limits);
	json_key(json, "queues");
	yajl_gen_array_open(json);
	for (unsigned n = 0; vbd->stats.queue && n < vbd->rings; n++) {
		stats_copy(&copy, &vbd->stats.queue[n]);
		queue_tell(json, &copy);
	}
	yajl_gen_array_close(json);
}

/* ---- Prometheus ---- */

/* The buckets shown are octaves: from 1 us to 17 s, and all. */
#define OCTAVE_FIRST 10
#define OCTAVE_LAST  34

struct family {
	const char *name, *help;
	void (*print)(struct evbuffer *out, const struct family *family, const char *labels,
		      const struct stats_queue *stats);
	uint32_t offset; /* of a counter or a histogram in struct stats_queue */
};

static void family_begin(struct evbuffer *out, const char *name, const char *help, const char *type)
{
	evbuffer_add_printf(out, "# HELP xsplit_block_%s %s.\n# TYPE xsplit_block_%s %s\n", name,
			    help, name, type);
}

static const struct vbd_device *vbd_of(const struct device *dev)
{
	return dev->class == &vbd_device_class && !dev->released ? self(dev) : NULL;
}

static void labels_make(const struct device *dev, char *labels, size_t size)
{
	snprintf(labels, size, "domid=\"%u\",devid=\"%" PRIu32 "\"", dev->domid, dev->devid);
}

static void requests_print(struct evbuffer *out, const struct family *family, const char *labels,
			   const struct stats_queue *stats)
{
	for (unsigned op = 0; op < STATS_OPS; op++)
		evbuffer_add_printf(out, "xsplit_block_requests_total{%s,op=\"%s\"} %" PRIu64 "\n",
				    labels, stats_op_name(op), stats->requests[op]);
}

static void counter_print(struct evbuffer *out, const struct family *family, const char *labels,
			  const struct stats_queue *stats)
{
	const struct stats_counter counter = {.offset = family->offset};

	evbuffer_add_printf(out, "xsplit_block_%s{%s} %" PRIu64 "\n", family->name, labels,
			    stats_counter_value(stats, &counter));
}

static void histogram_print(struct evbuffer *out, const struct family *family, const char *labels,
			    const struct stats_queue *stats)
{
	const struct histogram *histogram =
		(const struct histogram *)((const char *)stats + family->offset);
	uint64_t below = 0, total = histogram_total(histogram);
	unsigned bucket = 0;

	for (unsigned octave = OCTAVE_FIRST; octave <= OCTAVE_LAST; octave++) {
		for (; histogram_floor(bucket) < 1ull << octave; bucket++)
			below += histogram->count[bucket];
		evbuffer_add_printf(out, "xsplit_block_%s_bucket{%s,le=\"%.9f\"} %" PRIu64 "\n",
				    family->name, labels, (double)(1ull << octave) / 1e9, below);
	}
	evbuffer_add_printf(out,
			    "xsplit_block_%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n"
			    "xsplit_block_%s_sum{%s} %.9f\n"
			    "xsplit_block_%s_count{%s} %" PRIu64 "\n",
			    family->name, labels, total, family->name, labels,
			    (double)histogram->sum / 1e9, family->name, labels, total);
}

static void family_print(struct evbuffer *out, const struct family *family,
			 const struct device *devices)
{
	struct stats_queue copy;
	char device[64], labels[96];

	for (const struct device *dev = devices; dev; dev = dev->next) {
		const struct vbd_device *vbd = vbd_of(dev);

		if (!vbd || !vbd->stats.queue)
			continue;
		labels_make(dev, device, sizeof(device));
		for (unsigned n = 0; n < vbd->rings; n++) {
			snprintf(labels, sizeof(labels), "%s,queue=\"%u\"", device, n);
			stats_copy(&copy, &vbd->stats.queue[n]);
			family->print(out, family, labels, &copy);
		}
	}
}

static void counters_print(struct evbuffer *out, const struct device *devices)
{
	for (const struct stats_counter *counter = stats_counters; counter->name; counter++) {
		char name[64];
		struct family family = {name, counter->help, counter_print, counter->offset};

		snprintf(name, sizeof(name), "%s_total", counter->name);
		family_begin(out, name, counter->help, "counter");
		family_print(out, &family, devices);
	}
}

static void gauges_print(struct evbuffer *out, const struct device *devices)
{
	static const char *const gauges[][2] = {
		{"size_bytes", "The size of the disk"},
		{"connected", "Do its rings run"},
		{"paused", "Is it paused"},
	};

	for (int n = 0; n < 3; n++) {
		family_begin(out, gauges[n][0], gauges[n][1], "gauge");
		for (const struct device *dev = devices; dev; dev = dev->next) {
			const struct vbd_device *vbd = vbd_of(dev);
			char labels[64];
			uint64_t value;

			if (!vbd)
				continue;
			labels_make(dev, labels, sizeof(labels));
			value = n == 0   ? size_of(vbd)
				: n == 1 ? device_running(dev)
					 : vbd->settings.paused;
			evbuffer_add_printf(out, "xsplit_block_%s{%s} %" PRIu64 "\n", gauges[n][0],
					    labels, value);
		}
	}
}

void vbd_metrics(const struct device *devices, struct evbuffer *out)
{
#define HISTOGRAM(field, text)                                                                \
	{                                                                                     \
#field "_seconds", text, histogram_print, offsetof(struct stats_queue, field) \
	}
	static const struct family histograms[] = {
		HISTOGRAM(copy, "How long a grant copy call takes"),
		HISTOGRAM(device, "How long a request is with the storage"),
		HISTOGRAM(total, "How long a request is with the backend"),
	};
#undef HISTOGRAM
	static const struct family requests = {.print = requests_print};

	gauges_print(out, devices);
	family_begin(out, "requests_total", "Requests answered without an error", "counter");
	family_print(out, &requests, devices);
	counters_print(out, devices);
	for (size_t n = 0; n < sizeof(histograms) / sizeof(histograms[0]); n++) {
		family_begin(out, histograms[n].name, histograms[n].help, "histogram");
		family_print(out, &histograms[n], devices);
	}
}
