#include "toolstack/command/devices.h"

#include <errno.h>

#include "toolstack/domain/attach.h"
#include "toolstack/domain/name.h"
#include "toolstack/json.h"

static void show(struct toolstack *ts, const struct device_class *class,
		 const struct device *device, yajl_gen json)
{
	struct device_info info;

	if (!class->is(device->type))
		return;
	device_info_get(ts, device, &info);
	if (json)
		info_json(json, &info);
	else
		class->row(stdout, &info);
}

static int domain_show(struct toolstack *ts, const struct device_class *class, const char *word,
		       yajl_gen json, struct fault *fault)
{
	struct devices devices;
	uint16_t domid;
	int rc = name_find(ts, word, &domid, fault);

	if (rc)
		return rc;
	if (devices_list(ts, domid, &devices))
		return fault_memory(fault);
	for (size_t i = 0; i < devices.count; i++)
		show(ts, class, &devices.device[i], json);
	devices_free(&devices);
	return 0;
}

static int all_show(struct toolstack *ts, const struct device_class *class, int count, char **words,
		    yajl_gen json, struct fault *fault)
{
	int rc = 0;

	if (json)
		yajl_gen_array_open(json);
	else
		class->header(stdout);
	for (int i = 0; i < count && !rc; i++)
		rc = domain_show(ts, class, words[i], json, fault);
	if (rc && json) {
		yajl_gen_free(json);
	} else if (json) {
		yajl_gen_array_close(json);
		json_close(json);
	}
	return rc;
}

int devices_list_run(const struct command *self, const struct device_class *class, int argc,
		     char **argv)
{
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (optind >= argc)
		return command_usage(self, "give a DOMAIN");
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = all_show(&ts, class, argc - optind, argv + optind,
			      given_has(&given, 'j') ? json_open() : NULL, &fault);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}

int devices_find(struct toolstack *ts, const struct device_class *class, uint16_t domid,
		 const char *word, struct device *found, struct fault *fault)
{
	struct device_info info;
	struct devices devices;
	int rc = -ENOENT;

	if (devices_list(ts, domid, &devices))
		return fault_memory(fault);
	for (size_t i = 0; i < devices.count && rc; i++) {
		if (!class->is(devices.device[i].type))
			continue;
		device_info_get(ts, &devices.device[i], &info);
		if (!class->means(word, &info))
			continue;
		*found = info.device;
		rc = 0;
	}
	devices_free(&devices);
	return rc ? fault_set(fault, rc, "domain %u has no %s %s; xsplit %s-list %u shows them",
			      domid, class->word, word, class->is(DEVICE_VIF) ? "network" : "block",
			      domid)
		  : 0;
}

int devices_detach_run(const struct command *self, const struct device_class *class, int argc,
		       char **argv)
{
	static const struct option options[] = {{"force", no_argument, NULL, 'f'}, {0}};
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	struct device device;
	uint16_t domid;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return command_usage(self, "give a DOMAIN and one %s", class->word);
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = name_find(&ts, argv[optind], &domid, &fault);
		if (!rc)
			rc = devices_find(&ts, class, domid, argv[optind + 1], &device, &fault);
		if (!rc)
			rc = attach_undo(&ts, &device, given_has(&given, 'f'), &fault);
		toolstack_close(&ts);
	}
	return command_end(rc, &fault, given_has(&given, 'j'));
}
