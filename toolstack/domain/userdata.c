#include "toolstack/domain/userdata.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/number.h"
#include "toolstack/domain/adopt.h"
#include "toolstack/domain/libxl_json.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/tuning.h"

#define DIR_DEFAULT "/var/lib/xen"
#define CONFIG      "libxl-json"
#define LOCK        "domain-userdata-lock"

/* Ours have some hundred bytes a device. */
#define TEXT_MAX (1u << 20)

/* How often, and how long apart, the lock is asked for. */
#define LOCK_TRIES    100
#define LOCK_APART_MS 20

const char *userdata_dir(void)
{
	const char *dir = getenv("XSPLIT_USERDATADIR");

	return dir ? dir : DIR_DEFAULT;
}

/* @kind: d for data, n for data that is being written, l for a lock. */
static void path_of(char path[PATH_MAX], char kind, uint16_t domid, const uuid_t uuid,
		    const char *what)
{
	char text[UUID_STR_LEN];

	uuid_unparse_lower(uuid, text);
	snprintf(path, PATH_MAX, "%s/userdata-%c.%u.%s.%s", userdata_dir(), kind, domid, text,
		 what);
}

int userdata_parse(const char *name, uint16_t *domid, uuid_t uuid)
{
	char number[8], text[UUID_STR_LEN], kind;
	int length = 0;

	if (sscanf(name, "userdata-%c.%7[0-9].%36[0-9a-fA-F-].%n", &kind, number, text, &length) !=
		    3 ||
	    !length || number_parse_u16(number, domid) || uuid_parse(text, uuid))
		return -EINVAL;
	return 0;
}

/* The host is asked only for what depends on it. */
static char *text_of(struct toolstack *ts, const struct domain_config *config)
{
	bool pinned = config->option[OPTION_CPUS].given || config->option[OPTION_CPUS_SOFT].given;
	struct cpulist_host host = {0};
	struct fault ignored = {0};
	bool known = pinned && !tuning_host(ts, &host, &ignored);
	char *text = libxl_json(config, known ? &host : NULL);

	tuning_host_free(&host);
	return text;
}

void userdata_write(struct toolstack *ts, uint16_t domid, const struct domain_config *config)
{
	char path[PATH_MAX], made[PATH_MAX], *text = text_of(ts, config);
	FILE *out;
	int fd;

	path_of(path, 'd', domid, config->uuid, CONFIG);
	path_of(made, 'n', domid, config->uuid, CONFIG);
	fd = text ? open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (out) {
		bool whole = fwrite(text, strlen(text) + 1, 1, out) == 1;

		if (fclose(out) || !whole || rename(made, path))
			unlink(made);
	} else if (fd >= 0) {
		close(fd);
	}
	free(text);
}

/* As libxl has it: whoever lets go removes the file, so who gets it looks whether it still is the
 * one. Return: -1 when it was not to be had. */
static int lock_take(const char *path)
{
	static const struct timespec apart = {.tv_nsec = LOCK_APART_MS * 1000000};
	struct stat ours, there;

	for (int i = 0; i < LOCK_TRIES; i++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			return -1;
		if (!flock(fd, LOCK_EX | LOCK_NB)) {
			if (!fstat(fd, &ours) && !stat(path, &there) &&
			    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
				return fd;
		} else {
			nanosleep(&apart, NULL);
		}
		close(fd);
	}
	return -1;
}

void userdata_follow(struct toolstack *ts, uint16_t domid)
{
	struct domain_config config;
	struct xen_domain domain;
	struct fault ignored = {0};
	char path[PATH_MAX];
	int lock;

	if (xen_domain_get(ts->xen, domid, &domain, &ignored))
		return;
	path_of(path, 'l', domid, domain.uuid, LOCK);
	lock = lock_take(path);
	if (lock < 0)
		return;
	/* Else what xl attached would be missing in what xl goes by. */
	(void)domain_adopt(ts, domid);
	if (!record_config_read(ts, XBT_NULL, domid, &config, &ignored)) {
		uuid_copy(config.uuid, domain.uuid);
		userdata_write(ts, domid, &config);
		domain_config_free(&config);
	}
	unlink(path);
	close(lock);
}

char *userdata_read(uint16_t domid, const uuid_t uuid)
{
	char path[PATH_MAX], *text = malloc(TEXT_MAX + 1);
	size_t size = 0;
	FILE *file;

	path_of(path, 'd', domid, uuid, CONFIG);
	file = text ? fopen(path, "re") : NULL;
	if (file) {
		size = fread(text, 1, TEXT_MAX + 1, file);
		fclose(file);
	}
	if (!size || size > TEXT_MAX) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

/* By name, not by a look through a directory that holds those of all domains. */
void userdata_remove(uint16_t domid, const uuid_t uuid)
{
	static const struct {
		char kind;
		const char *what;
	} files[] = {
		{'d', CONFIG},
		{'n', CONFIG},
		{'d', "xl"},
		{'n', "xl"},
		{'d', "libvirt-xml"},
		{'l', "libxl-device-changes-lock"},
		{'l', "qmp-socket-lock"},
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path_of(path, files[i].kind, domid, uuid, files[i].what);
		unlink(path);
	}
}
