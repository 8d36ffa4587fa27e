/* The files that an image is made of: itself and its backing files, as qemu-img finds them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#include "backend/block/exporter_internal.h"
#include "backend/block/image.h"
#include "lib/fdpass.h"
#include "lib/log.h"

/* qemu-img's answer about one file. */
#define ANSWER_MAX 65536

/* Seconds that it has for it: a header can be made to be read for ever. */
#define ANSWER_SECONDS 10

/* Between fork and exec. */
static void become_qemu_img(struct exporter *exporter, const char *path, const char *format,
			    int out)
{
	const char *const words[] = {"qemu-img",
				     "info",
				     "-U",
				     "--output=json",
				     format ? "-f" : path,
				     format ? format : NULL,
				     path,
				     NULL};

	exporter_rules(exporter, false, false);
	alarm(ANSWER_SECONDS);
	if (dup2(out, STDOUT_FILENO) >= 0 && !exporter_confine(exporter, words[0]))
		execv(exporter->program, (char *const *)words);
	_exit(127);
}

static int answer_read(int fd, char *text)
{
	size_t length = 0;
	ssize_t n;

	while (length < ANSWER_MAX - 1 && (n = read(fd, text + length, ANSWER_MAX - 1 - length)))
		if (n > 0)
			length += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	text[length] = '\0';
	return 0;
}

static int qemu_img_ask(struct exporter *exporter, const char *path, const char *format, char *text)
{
	int ends[2], status = 0, rc;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		become_qemu_img(exporter, path, format, ends[1]);
	close(ends[1]);
	rc = pid < 0 ? -errno : answer_read(ends[0], text);
	close(ends[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status && !rc) {
		/* It has said why itself; only a signal has no words. */
		if (WIFSIGNALED(status))
			log_error("%s: its header is not read: qemu-img was ended by signal %d",
				  path, WTERMSIG(status));
		rc = -EINVAL;
	}
	return rc;
}

static const char *string_of(yajl_val tree, const char *key)
{
	const char *path[] = {key, NULL};
	yajl_val found = yajl_tree_get(tree, path, yajl_t_string);

	return found ? YAJL_GET_STRING(found) : NULL;
}

/* A backing file as the image's header names it. */
static int file_add(struct exporter *exporter, const char *path)
{
	struct stat st;

	if (exporter->files == EXPORTER_FILES_MAX) {
		log_error("%s has more than %u backing files; flatten it with qemu-img convert",
			  exporter->source.path, EXPORTER_FILES_MAX - 1);
		return -ELOOP;
	}
	if (path[0] != '/' || strlen(path) >= SOURCE_PART_SIZE) {
		log_error("%s: its backing file %.200s is no file of this host; "
			  "change that with qemu-img rebase",
			  exporter->file[exporter->files - 1], path);
		return -EINVAL;
	}
	if (stat(path, &st) || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))) {
		int rc = errno ? -errno : -EINVAL;

		log_error("%s: its backing file %s: %s; put it there or use qemu-img rebase",
			  exporter->file[exporter->files - 1], path, strerror(-rc));
		return rc;
	}
	snprintf(exporter->file[exporter->files++], SOURCE_PART_SIZE, "%s", path);
	return 0;
}

int exporter_files_find(struct exporter *exporter)
{
	const char *format = exporter->source.format;
	char *text = malloc(ANSWER_MAX), why[128] = "", known[32];
	int rc = text ? 0 : -ENOMEM;

	snprintf(exporter->file[exporter->files++], SOURCE_PART_SIZE, "%s", exporter->source.path);
	while (!rc) {
		yajl_val tree;
		const char *backing;

		rc = qemu_img_ask(exporter, exporter->file[exporter->files - 1], format, text);
		if (rc)
			break;
		tree = yajl_tree_parse(text, why, sizeof(why));
		if (!tree) {
			log_error("%s: qemu-img says nothing sensible of it: %s",
				  exporter->file[exporter->files - 1], why);
			rc = -EPROTO;
			break;
		}
		backing = string_of(tree, "full-backing-filename");
		format = string_of(tree, "backing-filename-format");
		if (format) {
			snprintf(known, sizeof(known), "%s", format);
			format = known;
		}
		if (backing)
			rc = file_add(exporter, backing);
		yajl_tree_free(tree);
		if (!backing)
			break;
	}
	free(text);
	return rc;
}

int exporter_files_hold(const struct exporter *exporter, int supervisor)
{
	for (unsigned n = 1; n < exporter->files; n++) {
		int fd = image_share(exporter->file[n]);

		if (fd == -EBUSY)
			log_error("a backing file is being written: %s, of %s; detach it there, or "
				  "give each its own copy",
				  exporter->file[n], exporter->file[n - 1]);
		else if (fd < 0)
			log_error("%s: its backing file %s cannot be opened and locked: %s",
				  exporter->file[n - 1], exporter->file[n], strerror(-fd));
		if (fd < 0)
			return fd;
		(void)fdpass_send(supervisor, "", 1, &fd, 1); /* it may have them already */
	}
	return 0;
}
