#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/block/exporter_internal.h"
#include "lib/log.h"

static int program_find(struct exporter *exporter, const char *name)
{
	const char *path = getenv("PATH");
	char *folders = strdup(path && *path ? path : "/usr/local/bin:/usr/bin:/bin"),
	     *rest = folders;

	for (char *folder; folders && (folder = strsep(&rest, ":"));) {
		snprintf(exporter->program, sizeof(exporter->program), "%s/%s", folder, name);
		if (*folder == '/' && !access(exporter->program, X_OK)) {
			free(folders);
			return 0;
		}
	}
	free(folders);
	log_error("there is no %s; install the package qemu-utils", name);
	return -ENOENT;
}

struct words {
	const char *word[24];
	unsigned count;
};

static void word(struct words *words, const char *word)
{
	words->word[words->count++] = word;
}

/* "," ends a value of QEMU's options, ",," is one comma. */
static void value_append(char *text, size_t size, const char *key, const char *value)
{
	size_t length = strlen(text);

	length += (size_t)snprintf(text + length, size - length, ",%s=", key);
	for (; *value && length + 3 < size; value++) {
		if (*value == ',')
			text[length++] = ',';
		text[length++] = *value;
	}
	text[length] = '\0';
}

static int credentials(struct exporter *exporter, char *object, size_t size)
{
	const struct source *source = &exporter->source;
	const char *name = strrchr(source->psk, '/');

	if (*source->psk && (!name || strcmp(name, "/keys.psk") != 0)) {
		log_error("tls-psk-file %s: QEMU wants its name to be keys.psk; rename it",
			  source->psk);
		return -EINVAL;
	}
	if (*source->psk)
		exporter_folder(source->psk, exporter->folder);
	else
		snprintf(exporter->folder, sizeof(exporter->folder), "%s",
			 *source->certificates ? source->certificates : EXPORTER_PKI);
	if (access(exporter->folder, R_OK | X_OK)) {
		int rc = -errno;

		log_error("the folder of TLS keys %s: %s; make it, or name another with "
			  "tls-certificates=",
			  exporter->folder, strerror(-rc));
		return rc;
	}
	snprintf(object, size, "tls-creds-%s,id=tls0,endpoint=client",
		 *source->psk ? "psk" : "x509");
	value_append(object, size, "dir", exporter->folder);
	exporter_rule(exporter, exporter->folder, CONFINE_READ);
	return 0;
}

/* QEMU itself connects again and sends again what was under way, for as long as it takes. */
static void nbds_describe(const struct source *source, char *text, size_t size)
{
	snprintf(text, size, "driver=nbd,tls-creds=tls0,reconnect-delay=2147483647");
	value_append(text, size, "server.type", *source->host ? "inet" : "unix");
	if (*source->host) {
		value_append(text, size, "server.host", source->host);
		value_append(text, size, "server.port", source->port);
	} else {
		value_append(text, size, "server.path", source->socket);
	}
	value_append(text, size, "export", source->export);
}

/* QEMU opens backing files in the same way. */
static bool direct_possible(const struct exporter *exporter)
{
	bool possible = exporter->files;

	for (unsigned n = 0; possible && n < exporter->files; n++) {
		int fd = open(exporter->file[n], O_RDONLY | O_DIRECT | O_CLOEXEC);

		possible = fd >= 0;
		if (possible)
			close(fd);
	}
	return possible;
}

static int become_qemu_nbd(struct exporter *exporter)
{
	static char object[2 * SOURCE_PART_SIZE + 128], image[4 * SOURCE_PART_SIZE];
	const struct source *source = &exporter->source;
	struct words words = {0};
	char pid[16];
	int rc = program_find(exporter, "qemu-nbd");

	if (rc)
		return rc;
	exporter_rules(exporter, source_network(source), !exporter->read_only);
	word(&words, "qemu-nbd");
	word(&words, "--persistent");
	word(&words, "--shared=4");
	word(&words, "--discard=unmap");
	if (exporter->read_only)
		word(&words, "--read-only");
	if (direct_possible(exporter)) {
		word(&words, "--cache=none");
		word(&words, "--aio=native");
	}
	if (source->kind == SOURCE_NBDS) {
		rc = credentials(exporter, object, sizeof(object));
		if (rc)
			return rc;
		nbds_describe(source, image, sizeof(image));
		if (*source->socket)
			exporter_rule(exporter, source->socket, CONFINE_WRITE);
		word(&words, "--object");
		word(&words, object);
		word(&words, "--image-opts");
		word(&words, image);
	} else {
		word(&words, "-f");
		word(&words, source->format ? source->format : "raw");
		word(&words, source->path);
	}
	rc = exporter_confine(exporter, words.word[0]);
	if (rc)
		return rc;
	clearenv();
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	execv(exporter->program, (char *const *)words.word);
	rc = -errno;
	log_error("%s cannot be executed: %s", exporter->program, strerror(-rc));
	return rc;
}

int exporter_main(int socket, const char *params, bool read_only, const char *user, bool sandboxed)
{
	struct exporter exporter = {.user = user, .sandboxed = sandboxed, .read_only = read_only};
	char why[256];
	int rc;

	fcntl(socket + 1, F_SETFD, FD_CLOEXEC);
	close_range((unsigned)socket + 2, ~0u, 0);
	rc = source_parse(params, &exporter.source, why, sizeof(why));
	if (rc)
		log_error("%s", why);
	if (!rc && exporter.source.kind == SOURCE_IMAGE) {
		rc = program_find(&exporter, "qemu-img");
		if (!rc)
			rc = exporter_files_find(&exporter);
		if (!rc)
			rc = exporter_files_hold(&exporter, socket + 1);
	}
	if (!rc)
		rc = become_qemu_nbd(&exporter);
	return rc ? 1 : 0;
}
