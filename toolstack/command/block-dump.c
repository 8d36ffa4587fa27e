#include <stdio.h>
#include <string.h>

#include "toolstack/command/block.h"
#include "toolstack/device/backend.h"

static yajl_val member(yajl_val object, const char *key, yajl_type type)
{
	const char *path[] = {key, NULL};

	return yajl_tree_get(object, path, type);
}

static const char *text_of(yajl_val object, const char *key)
{
	yajl_val value = member(object, key, yajl_t_string);

	return value ? YAJL_GET_STRING(value) : "?";
}

static bool is_true(yajl_val object, const char *key)
{
	yajl_val value = member(object, key, yajl_t_any);

	return value && YAJL_IS_TRUE(value);
}

static void request_show(yajl_val request)
{
	printf("  %4lld %-14s %-8s %14lld %8lld %4lld %12lld\n", backend_number(request, "slot"),
	       text_of(request, "state"), text_of(request, "operation"),
	       backend_number(request, "sector"), backend_number(request, "bytes"),
	       backend_number(request, "segments"), backend_number(request, "age_us"));
}

static void queue_show(size_t number, yajl_val queue)
{
	static const char *const flags[] = {"stopped", "draining", "blocked", "limited", "barrier"};
	yajl_val requests = member(queue, "requests", yajl_t_array);
	size_t count = requests ? requests->u.array.len : 0;

	printf("queue %zu: %lld entries, port %lld", number, backend_number(queue, "entries"),
	       backend_number(queue, "port"));
	for (size_t n = 0; n < sizeof(flags) / sizeof(flags[0]); n++)
		if (is_true(queue, flags[n]))
			printf(", %s", flags[n]);
	printf("\n  requests  prod %lld, cons %lld, event %lld\n"
	       "  responses prod %lld, private prod %lld, event %lld\n",
	       backend_number(queue, "req_prod"), backend_number(queue, "req_cons"),
	       backend_number(queue, "req_event"), backend_number(queue, "rsp_prod"),
	       backend_number(queue, "rsp_prod_pvt"), backend_number(queue, "rsp_event"));
	if (count)
		printf("  %4s %-14s %-8s %14s %8s %4s %12s\n", "slot", "state", "op", "sector",
		       "bytes", "segs", "age-us");
	for (size_t n = 0; n < count; n++)
		request_show(requests->u.array.values[n]);
}

static int act(struct toolstack *ts, const struct device *device, const void *arg,
	       struct fault *fault)
{
	const bool *json = arg;
	struct backend_answer answer;
	yajl_val dump, queues;
	int rc = backend_ask("dump", device->domid, device, &answer, fault);

	if (rc)
		return rc;
	dump = member(answer.root, "dump", yajl_t_object);
	queues = dump ? member(dump, "queues", yajl_t_array) : NULL;
	if (*json) {
		puts(answer.text);
	} else if (queues) {
		printf("%lld running%s%s\n", backend_number(dump, "running"),
		       is_true(dump, "paused") ? ", paused" : "",
		       is_true(dump, "changing") ? ", being changed" : "");
		for (size_t n = 0; n < queues->u.array.len; n++)
			queue_show(n, queues->u.array.values[n]);
	}
	backend_answer_free(&answer);
	return 0;
}

int command_block_dump(const struct command *self, int argc, char **argv)
{
	struct given given;
	bool json;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return command_usage(self, "give a DOMAIN and one disk");
	json = given_has(&given, 'j');
	return block_on_disk(argv + optind, act, &json, json);
}
