#include "toolstack/domain/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "toolstack/domain/config_json.h"
#include "toolstack/domain/helper.h"
#include "toolstack/domain/plan.h"
#include "toolstack/domain/saved.h"
#include "toolstack/xen/stream.h"

enum { RESULT_XENSTORE, RESULT_CONSOLE };

struct restoring {
	const struct layout *layout;
	int fd;
};

static int restore_work(struct toolstack *ts, struct helper *helper, void *arg, struct fault *fault)
{
	const struct restoring *r = arg;
	struct xen_built built = {0};
	int rc = xen_domain_restore(ts->xen, r->layout->domid, r->fd, r->layout->xenstore_port,
				    r->layout->console_port, &built, helper_progress, helper,
				    fault);

	if (rc)
		return rc;
	helper_result(helper, RESULT_XENSTORE, built.xenstore_frame);
	helper_result(helper, RESULT_CONSOLE, built.console_frame);
	return 0;
}

int restore_memory(struct toolstack *ts, struct layout *layout, const struct create_stream *stream,
		   struct fault *fault)
{
	struct helper helper = {.what = "Restoring"};
	struct restoring restoring = {layout, stream->fd};
	int rc = helper_run(ts, &helper, restore_work, &restoring, fault);

	layout->built.xenstore_frame = helper.result[RESULT_XENSTORE];
	layout->built.console_frame = helper.result[RESULT_CONSOLE];
	return rc;
}

static int config_get(const char *path, const char *config_file, const char *saved,
		      struct domain_config *config, struct fault *fault)
{
	if (config_file)
		return domain_config_read(config_file, NULL, 0, config, fault);
	return domain_config_parse(path, saved, NULL, 0, config, fault);
}

int restore_file(struct toolstack *ts, const char *path, const char *config_file,
		 const struct restore_how *how, uint16_t *domid, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	const struct create_stream stream = {.fd = fd, .what = path};
	const struct create_options options = {.paused = how->paused, .stream = &stream};
	struct domain_config config;
	char *saved = NULL;

	if (fd < 0) {
		rc = -errno;
		return fault_set(fault, rc, "%s: cannot read it: %s", path, strerror(-rc));
	}
	rc = saved_head_read(fd, path, &saved, fault);
	if (!rc)
		rc = config_get(path, config_file, saved, &config, fault);
	if (!rc) {
		rc = plan_restored(ts, &config, fault);
		if (!rc && how->debug)
			config_debug(&config);
		if (!rc)
			rc = domain_create(ts, &config, &options, domid, fault);
		domain_config_free(&config);
	}
	free(saved);
	close(fd);
	return rc;
}
