/* The supervisor's half of a vbd: what the toolstack changes while it is there. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block/vbd_device.h"

static struct vbd_device *self(struct device *dev)
{
	return (struct vbd_device *)dev;
}

static void texts_free(struct vbd_texts *texts)
{
	for (int n = 0; n < SETTINGS; n++)
		free(texts->of[n]);
	*texts = (struct vbd_texts){0};
}

static void texts_move(struct vbd_texts *to, struct vbd_texts *from)
{
	texts_free(to);
	*to = *from;
	*from = (struct vbd_texts){0};
}

static int settings_read(struct device *dev, struct settings *settings, struct vbd_texts *texts)
{
	char why[sizeof(dev->error)] = "";
	int rc = 0;

	settings_default(settings);
	texts_free(texts);
	for (int n = 0; n < SETTINGS; n++) {
		texts->of[n] = device_back_string(dev, settings_table[n].name);
		if (!texts->of[n] ||
		    !settings_table[n].parse(texts->of[n], settings, why, sizeof(why)))
			continue;
		free(texts->of[n]);
		texts->of[n] = NULL;
		rc = -EINVAL;
	}
	return rc ? device_fail(dev, rc, "%s", why) : 0;
}

/* Nobody shall have to look for where they come from. */
static void faults_tell(const struct device *dev)
{
	const struct vbd_device *vbd = (const struct vbd_device *)dev;

	if (vbd->settings.inject.count)
		log_warn("%s: has faults by xsplit block-inject: %s", dev->name,
			 vbd->texts.of[SETTING_INJECT]);
}

int vbd_settings_load(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	struct vbd_texts texts = {0};
	struct settings settings;
	int rc = settings_read(dev, &settings, &texts);

	if (!rc) {
		vbd->settings = settings;
		texts_move(&vbd->texts, &texts);
		faults_tell(dev);
	}
	texts_free(&texts);
	return rc;
}

void vbd_settings_resume(struct device *dev)
{
	struct vbd_device *vbd = self(dev);

	if (settings_read(dev, &vbd->settings, &vbd->texts))
		log_warn("%s: %s; it goes on without", dev->name, dev->error);
}

void vbd_settings_free(struct vbd_device *vbd)
{
	texts_free(&vbd->texts);
	texts_free(&vbd->settling.texts);
}

struct answer {
	struct device *dev;
	bool done;
	const char *text;
};

static int node_restore(struct xs_handle *xs, xs_transaction_t t, const struct device *dev,
			const char *node, const char *value)
{
	return value ? xs_write_string(xs, t, value, "%s/%s", dev->back, node)
		     : xs_remove(xs, t, "%s/%s", dev->back, node);
}

/*
 * What could not be done must not be tried by the next who reads the nodes (at the next connect, or
 * after our end): they say again what is.
 */
static int answer_body(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct answer *answer = arg;
	struct device *dev = answer->dev;
	const struct vbd_device *vbd = self(dev);
	uint64_t request = 0;
	int rc = 0;

	if (!xs_exists(xs, t, "%s/frontend", dev->back))
		return -ENOENT;
	(void)xs_read_number(xs, t, UINT32_MAX, &request, "%s/" SETTINGS_REQUEST, dev->back);
	if (request == vbd->settling.number)
		rc = xs_remove(xs, t, "%s/" SETTINGS_RESIZE, dev->back);
	if (!answer->done && request == vbd->settling.number)
		for (int n = 0; !rc && n < SETTINGS; n++)
			rc = node_restore(xs, t, dev, settings_table[n].name, vbd->texts.of[n]);
	if (!rc && !answer->done && request == vbd->settling.number && !dev->script &&
	    !vbd_storage_is_away(vbd->storage))
		rc = node_restore(xs, t, dev, "params", vbd->storage->params);
	return rc ? rc : xs_write_string(xs, t, answer->text, "%s/" SETTINGS_REPLY, dev->back);
}

static void reply(struct device *dev, int rc, const char *why)
{
	struct vbd_settling *settling = &self(dev)->settling;
	char text[sizeof(dev->error) + 32];
	struct answer answer = {dev, !rc, text};

	snprintf(text, sizeof(text), "%" PRIu32 " %s%s", settling->number, rc ? "error: " : "ok",
		 rc ? why : "");
	if (rc)
		log_warn("%s: not changed: %s", dev->name, why);
	else
		log_debug("%s: settings %" PRIu32 " are in effect", dev->name, settling->number);
	rc = xs_transact(dev->xs, answer_body, &answer);
	if (rc && rc != -ENOENT)
		log_error("%s: %s/" SETTINGS_REPLY " cannot be written: %s", dev->name, dev->back,
			  strerror(-rc));
	settling->answered = settling->number;
	settling->number = 0;
}

/* Is there a request that has no answer? Its number, or 0. */
static uint32_t request_read(struct device *dev)
{
	struct vbd_settling *settling = &self(dev)->settling;
	uint64_t number;

	if (xs_read_number(dev->xs, XBT_NULL, UINT32_MAX, &number, "%s/" SETTINGS_REQUEST,
			   dev->back))
		return 0;
	if (!settling->known) {
		char *text = device_back_string(dev, SETTINGS_REPLY);

		settling->answered = text ? settings_replied(text) : 0;
		settling->known = true;
		free(text);
	}
	return number == settling->answered ? 0 : (uint32_t)number;
}

static int settings_done(struct device *dev)
{
	struct vbd_device *vbd = self(dev);

	vbd->settings = vbd->settling.wanted;
	texts_move(&vbd->texts, &vbd->settling.texts);
	faults_tell(dev);
	return 0;
}

static int settings_begin(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	struct vbd_change change = {.kind = VBD_CHANGE_SETTINGS, .settings = vbd->settling.wanted};

	if (device_idle(dev) || settings_same(&vbd->settings, &change.settings))
		return settings_done(dev);
	return vbd_ask(dev, &change, NULL, 0);
}

/* The image is exchanged without the worker's asking; then the request is looked at once more. */
static int switch_done(struct device *dev)
{
	return 0;
}

static const struct {
	int (*begin)(struct device *dev); /* 0: done; -EINPROGRESS: the worker was asked */
	int (*done)(struct device *dev);  /* the worker has done it */
} steps[VBD_STEPS] = {
	[VBD_STEP_IMAGE] = {vbd_switch, switch_done},
	[VBD_STEP_RESIZE] = {vbd_resize, vbd_resized},
	[VBD_STEP_SETTINGS] = {settings_begin, settings_done},
};

int vbd_ask(struct device *dev, const struct vbd_change *change, const int *fds, size_t count)
{
	int rc = device_change(dev, change, sizeof(*change), fds, count,
			       &self(dev)->settling.change);

	return rc ? device_fail(dev, rc, "its worker cannot be asked; try again") : -EINPROGRESS;
}

/* The steps that are left, up to one that the worker has to do. */
static void carry_out(struct device *dev)
{
	struct vbd_settling *settling = &self(dev)->settling;
	int rc = 0;

	for (; !rc && settling->step < VBD_STEPS; settling->step += !rc)
		rc = steps[settling->step].begin(dev);
	if (rc != -EINPROGRESS)
		reply(dev, rc, dev->error);
}

bool vbd_at_rest(const struct device *dev)
{
	const struct vbd_settling *settling = &((const struct vbd_device *)dev)->settling;

	return !settling->number && !settling->change && (device_idle(dev) || device_running(dev));
}

void vbd_settle(struct device *dev)
{
	struct vbd_settling *settling = &self(dev)->settling;

	if (vbd_switch_opening(dev) && (device_idle(dev) || device_running(dev))) {
		carry_out(dev);
		return;
	}
	/* On its way up or down: it is looked at again when it has arrived. */
	if (!vbd_at_rest(dev))
		return;
	vbd_switched(dev);
	settling->number = request_read(dev);
	if (!settling->number) {
		vbd_resumed(dev);
		return;
	}
	settling->step = 0;
	if (settling->number == settling->refused)
		reply(dev, -EIO, settling->words);
	else if (settings_read(dev, &settling->wanted, &settling->texts))
		reply(dev, -EINVAL, dev->error);
	else
		carry_out(dev);
}

void vbd_changed(struct device *dev, uint32_t change, int rc, const char *text)
{
	struct vbd_settling *settling = &self(dev)->settling;

	if (self(dev)->dump.done && change == self(dev)->dump.change)
		vbd_dump_end(dev, rc ? text : NULL);
	if (!settling->change || change != settling->change)
		return;
	settling->change = 0;
	rc = rc ? device_fail(dev, -EIO, "%s", text) : steps[settling->step].done(dev);
	if (!settling->number) { /* nobody has asked for it */
		if (rc)
			log_warn("%s: %s", dev->name, dev->error);
	} else if (rc) {
		reply(dev, rc, dev->error);
	} else {
		settling->step++;
		carry_out(dev);
	}
}

void vbd_unsettle(struct device *dev)
{
	vbd_dump_end(dev, "it was disconnected");
	self(dev)->settling.number = 0;
	self(dev)->settling.change = 0;
}
