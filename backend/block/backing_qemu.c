#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/block/backing_internal.h"
#include "lib/log.h"

/* So often an image is tried that another process has locked. */
#define LOCKED_TRIES 25u

/* Our own (exporter.c), or two lines of QEMU's, the first of which may be too long for us. */
static bool is_about_backing(const char *words)
{
	return strstr(words, "a backing file is being written") != NULL;
}

static bool is_about_lock(const char *words)
{
	return is_about_backing(words) || strstr(words, "\" lock") ||
	       !strncmp(words, "Is another process using", 24);
}

/* What it could not open it calls by the words that we gave it: the user knows it by his own. */
static void reason_keep(struct backing *backing, const char *words)
{
	const char *opening = strstr(words, "blk_new_open '");
	const char *reason = opening ? strstr(opening, "': ") : NULL;
	const char *remedy = strstr(words, "Unknown protocol 'rbd'") ? "; install qemu-block-extra"
								     : "";

	if (reason)
		snprintf(backing->why, sizeof(backing->why), "%.160s: %.240s%s", backing->params,
			 reason + 3, remedy);
	else
		snprintf(backing->why, sizeof(backing->why), "%.320s%s", words, remedy);
}

static void line_end(struct backing *backing)
{
	backing->line[backing->length] = '\0';
	if (backing->length) {
		const char *words = backing->line;

		for (const char *skip = "qemu-nbd: "; *skip && *skip == *words; skip++)
			words++;
		backing->held |= is_about_lock(words);
		if (backing->state != BACKING_ASKING)
			log_warn("%s: %s", backing->name, words);
		if (backing->state == BACKING_ASKING)
			reason_keep(backing, words);
	}
	backing->length = 0;
}

/* What it says goes into the log, line by line. Return: is there more? */
static bool errors_read(struct backing *backing)
{
	char text[512];
	ssize_t n = read(backing->errors, text, sizeof(text));

	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			line_end(backing);
		else if (backing->length < sizeof(backing->line) - 1)
			backing->line[backing->length++] = text[i];
	}
	return n > 0;
}

static void on_errors(evutil_socket_t fd, short what, void *arg)
{
	struct backing *backing = arg;

	if (!errors_read(backing))
		event_del(backing->readable);
}

void backing_errors_close(struct backing *backing)
{
	if (backing->readable)
		event_free(backing->readable);
	backing->readable = NULL;
	if (backing->errors >= 0)
		close(backing->errors);
	backing->errors = -1;
}

static void on_qemu_ended(void *arg, int status)
{
	struct backing *backing = arg;
	char how[64];

	while (errors_read(backing))
		;
	line_end(backing);
	backing_errors_close(backing);
	child_free(backing->qemu);
	backing->qemu = NULL;
	backing->used = false;
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
	if (backing->state == BACKING_ASKING && backing->held && backing->locked++ < LOCKED_TRIES) {
		backing->pause_ms = RETRY_MS; /* that of the disk's last life is about to end */
		backing_step_soon(backing);
		return;
	}
	if (backing->state == BACKING_ASKING) {
		char why[sizeof(backing->why)];

		snprintf(why, sizeof(why), "%s", backing->why);
		backing_connector_stop(backing);
		if (backing->held && !is_about_backing(why))
			backing_failed(backing,
				       "%.200s is in use by another process; end that first",
				       backing->source.path);
		else
			backing_failed(backing, "%.440s", *why ? why : how);
		return;
	}
	if (!backing->ending) {
		log_error("%s: its qemu-nbd %s, it is started again", backing->name, how);
		backing_try_again(backing, "its qemu-nbd has ended");
	} else {
		backing_step_soon(backing);
	}
}

int backing_listener_make(struct backing *backing)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int rc = 0;

	if (strlen(backing->socket) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, backing->socket, strlen(backing->socket));
	backing->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (backing->listener < 0)
		return -errno;
	unlink(backing->socket);
	mask = umask(0177);
	if (bind(backing->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(backing->listener, 16))
		rc = -errno;
	umask(mask);
	return rc;
}

/*
 * Where it puts the files that its image lies on: those of the first that serves stay there, unread
 * and so locked, until the disk is closed.
 */
static int below_make(struct backing *backing, int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	*theirs = pair[1];
	if (backing->state == BACKING_ASKING && backing->below >= 0)
		close(backing->below);
	else if (backing->below >= 0)
		close(pair[0]);
	if (backing->state == BACKING_ASKING || backing->below < 0)
		backing->below = pair[0];
	return 0;
}

int backing_qemu_start(struct backing *backing)
{
	int fds[2] = {backing->listener, -1};
	const char *words[8] = {"xsplit-backend", "--qemu-nbd", backing->params};
	struct child_options options = {.base = backing->base,
					.words = words,
					.fds = fds,
					.count = 2,
					.signal = SIGTERM, /* it has tables to write */
					.ended = on_qemu_ended,
					.arg = backing};
	int ends[2], n = 3, rc;

	if (backing->read_only)
		words[n++] = "--read-only";
	if (backing->user) {
		words[n++] = "--user";
		words[n++] = backing->user;
	}
	if (!backing->sandboxed)
		words[n++] = "--without-sandbox";
	rc = below_make(backing, &fds[1]);
	if (rc)
		return rc;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
		rc = -errno;
		close(fds[1]);
		return rc;
	}
	fcntl(ends[1], F_SETFL, 0);
	options.error = ends[1];
	rc = child_start(&backing->qemu, &options);
	close(ends[1]);
	close(fds[1]);
	if (rc) {
		close(ends[0]);
		return rc;
	}
	backing->errors = ends[0];
	backing->ending = backing->used = backing->held = false;
	backing->readable =
		event_new(backing->base, ends[0], EV_READ | EV_PERSIST, on_errors, backing);
	if (backing->readable)
		event_add(backing->readable, NULL);
	return 0;
}
