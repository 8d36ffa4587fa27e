#include "backend/block/exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#include "backend/block/image.h"
#include "backend/block/source.h"
#include "backend/worker/confine.h"
#include "lib/fdpass.h"
#include "lib/log.h"

#define RULES_MAX (EXPORTER_FILES_MAX + 32)

/* qemu-img's answer about one file. */
#define ANSWER_MAX 65536

/* Seconds that it has for it: a header can be made to be read for ever. */
#define ANSWER_SECONDS 10

/* Where certificates are if the address does not say (libnbd's choice for root). */
#define PKI "/etc/pki/libnbd"

struct exporter {
	const char *user;
	bool sandboxed, read_only;
	struct source source;
	char program[PATH_MAX];
	char folder[SOURCE_PART_SIZE];                   /* of a VMDK; of TLS keys */
	char file[EXPORTER_FILES_MAX][SOURCE_PART_SIZE]; /* the image, then its backing files */
	unsigned files;
	struct confine_rule rule[RULES_MAX];
	size_t rules;
};

static void rule(struct exporter *exporter, const char *path, enum confine_access access)
{
	if (exporter->rules < RULES_MAX)
		exporter->rule[exporter->rules++] = (struct confine_rule){path, access};
}

/* What any program needs, and a name service where there is a network. */
static void rules_begin(struct exporter *exporter, bool network)
{
	static const char *const read[] = {"/usr/lib", "/usr/lib64",  "/usr/share/qemu",
					   "/lib",     "/lib64",      "/etc/ld.so.cache",
					   "/sys",     "/dev/urandom"};
	static const char *const read_network[] = {
		"/etc/resolv.conf", "/etc/hosts",           "/etc/nsswitch.conf",  "/etc/host.conf",
		"/etc/gai.conf",    "/etc/services",        "/etc/ceph",           PKI,
		"/etc/gnutls",      "/etc/crypto-policies", "/run/systemd/resolve"};

	exporter->rules = 0;
	rule(exporter, exporter->program, CONFINE_EXECUTE);
	rule(exporter, "/lib64/ld-linux-x86-64.so.2", CONFINE_EXECUTE);
	rule(exporter, "/lib/ld-linux-aarch64.so.1", CONFINE_EXECUTE);
	rule(exporter, "/dev/null", CONFINE_WRITE);
	for (size_t n = 0; n < sizeof(read) / sizeof(read[0]); n++)
		rule(exporter, read[n], CONFINE_READ);
	for (size_t n = 0; network && n < sizeof(read_network) / sizeof(read_network[0]); n++)
		rule(exporter, read_network[n], CONFINE_READ);
}

static void folder_of(const char *path, char folder[SOURCE_PART_SIZE])
{
	char *slash;

	snprintf(folder, SOURCE_PART_SIZE, "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
}

static void rules_files(struct exporter *exporter, bool write)
{
	for (unsigned n = 0; n < exporter->files; n++)
		rule(exporter, exporter->file[n], write && !n ? CONFINE_WRITE : CONFINE_READ);
	/* A VMDK's extents lie beside it, named in the text of the image. */
	if (exporter->source.format && !strcmp(exporter->source.format, "vmdk")) {
		folder_of(exporter->source.path, exporter->folder);
		rule(exporter, exporter->folder, write ? CONFINE_WRITE : CONFINE_READ);
	}
}

static int confined(struct exporter *exporter, const char *name)
{
	const struct confine_options options = {
		.name = name,
		.user = exporter->user,
		.network = source_network(&exporter->source),
		.rules = exporter->rule,
		.count = exporter->rules,
		.owned = exporter->files ? exporter->file[0] : NULL,
	};

	return exporter->sandboxed ? confine_enter(&options) : 0;
}

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

/* ---- the files that an image is made of ---- */

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

	rules_begin(exporter, false);
	rules_files(exporter, false);
	alarm(ANSWER_SECONDS);
	if (dup2(out, STDOUT_FILENO) >= 0 && !confined(exporter, words[0]))
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

static int files_find(struct exporter *exporter)
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

/*
 * What an image lies on must not change below it, and QEMU sees to that only where nobody shares
 * the image as a server's clients do. The locks are held by the qemu-nbd that we become, and
 * between two of them by the supervisor.
 */
static int files_hold(const struct exporter *exporter, int supervisor)
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

/* ---- qemu-nbd ---- */

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
		folder_of(source->psk, exporter->folder);
	else
		snprintf(exporter->folder, sizeof(exporter->folder), "%s",
			 *source->certificates ? source->certificates : PKI);
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
	rule(exporter, exporter->folder, CONFINE_READ);
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
	rules_begin(exporter, source_network(source));
	rules_files(exporter, !exporter->read_only);
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
			rule(exporter, source->socket, CONFINE_WRITE);
		word(&words, "--object");
		word(&words, object);
		word(&words, "--image-opts");
		word(&words, image);
	} else {
		word(&words, "-f");
		word(&words, source->format ? source->format : "raw");
		word(&words, source->path);
	}
	rc = confined(exporter, words.word[0]);
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
			rc = files_find(&exporter);
		if (!rc)
			rc = files_hold(&exporter, socket + 1);
	}
	if (!rc)
		rc = become_qemu_nbd(&exporter);
	return rc ? 1 : 0;
}
