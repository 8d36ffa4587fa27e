#include "toolstack/domain/bootloader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/number.h"
#include "lib/rundir.h"
#include "toolstack/argv.h"
#include "toolstack/program.h"

/* Of Xen's private programs. */
#define XEN_BIN "/usr/lib/xen-4.17/bin"

/* Whom pygrub runs as: a number that nobody else has. */
#define UID        1899999999u
#define OUTPUT_MAX 65536u

static int program_of(const struct domain_config *config, char **path)
{
	const char *name = config_text(config, OPTION_BOOTLOADER);
	char own[PATH_MAX];
	int rc = -ENOENT;

	if (!strchr(name, '/') &&
	    snprintf(own, sizeof(own), XEN_BIN "/%s", name) < (int)sizeof(own))
		rc = program_find(own, path);
	return rc ? program_find(name, path) : 0;
}

int bootloader_plan(struct domain_config *config, struct fault *fault)
{
	const char *name = config_text(config, OPTION_BOOTLOADER);
	char place[256], *path = NULL;
	int rc = program_of(config, &path);

	free(path);
	option_place(config, OPTION_BOOTLOADER, place, sizeof(place));
	if (rc)
		return fault_set(fault, rc,
				 "%s: bootloader %s: %s; correct its path or use kernel=", place,
				 name, strerror(-rc));
	if (!config->disks)
		return fault_set(fault, -EINVAL, "%s: bootloader %s has no disk to look into",
				 place, name);
	if (config->disk[0].script || config->disk[0].format != DISK_RAW)
		return fault_set(fault, -EINVAL,
				 "%s: bootloader %s reads raw images and block devices only, and "
				 "the first disk is none",
				 place, name);
	return 0;
}

static void directory_remove(const char *dir)
{
	DIR *list = opendir(dir);
	struct dirent *entry;

	while (list && (entry = readdir(list)))
		unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		closedir(list);
	rmdir(dir);
}

/* What somebody left who was killed. */
static void leftovers_remove(void)
{
	DIR *list = opendir(rundir());
	struct dirent *entry;
	char path[PATH_MAX];
	uint32_t pid;

	while (list && (entry = readdir(list)))
		if (!strncmp(entry->d_name, "boot.", 5) &&
		    !number_parse_u32(entry->d_name + 5, &pid) && kill((pid_t)pid, 0) &&
		    errno == ESRCH && !rundir_path(path, sizeof(path), "%s", entry->d_name))
			directory_remove(path);
	if (list)
		closedir(list);
}

static int directory_make(struct bootloader *loader)
{
	int rc = rundir_make(NULL);

	leftovers_remove();
	if (!rc)
		rc = rundir_path(loader->dir, sizeof(loader->dir), "boot.%d", (int)getpid());
	if (!rc && mkdir(loader->dir, 0700)) {
		rc = -errno;
		loader->dir[0] = '\0';
	}
	return rc;
}

/* Does it run as a user of its own? Only pygrub can, and not when it shall ask. */
static bool is_restricted(const char *path, bool menu)
{
	const char *name = strrchr(path, '/');

	return !menu && name && !strcmp(name, "/pygrub");
}

static void words_compose(struct argv *argv, const struct domain_config *config, const char *path,
			  const char *dir, bool menu)
{
	char *const *texts;
	size_t count;

	argv_add(argv, "%s", path);
	if (config->kernel)
		argv_add(argv, "--kernel=%s", config->kernel);
	if (config->ramdisk)
		argv_add(argv, "--ramdisk=%s", config->ramdisk);
	if (*config->cmdline)
		argv_add(argv, "--args=%s", config->cmdline);
	argv_add(argv, "--output=%s/output", dir);
	argv_add(argv, "--output-format=simple0");
	argv_add(argv, "--output-directory=%s", dir);
	if (is_restricted(path, menu)) {
		argv_add(argv, "--quiet");
		argv_add(argv, "--runas=%u", UID);
	}
	texts = config_texts(config, OPTION_BOOTLOADER_ARGS, &count);
	for (size_t i = 0; i < count; i++)
		argv_add(argv, "%s", texts[i]);
	argv_add(argv, "%s", config->disk[0].target);
}

/* Between fork and exec. */
static void become_loader(const struct toolstack *ts, const struct argv *argv, int log)
{
	int null = open("/dev/null", O_RDONLY);

	if (ts->interrupt.fd >= 0)
		sigprocmask(SIG_SETMASK, &ts->interrupt.before, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (log >= 0 && (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
			 dup2(log, STDERR_FILENO) < 0))
		_exit(127);
	execv(argv->word[0], argv->word);
	_exit(127);
}

static int wait_for(struct toolstack *ts, pid_t pid, int *status)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), rc = 0;
	struct pollfd polled[] = {{.fd = pidfd, .events = POLLIN},
				  {.fd = ts->interrupt.fd, .events = POLLIN}};

	while (pidfd >= 0 && !rc && !polled[0].revents) {
		poll(polled, 2, -1);
		if (interrupt_came(&ts->interrupt))
			rc = -EINTR;
	}
	if (rc)
		kill(pid, SIGKILL);
	if (pidfd >= 0)
		close(pidfd);
	waitpid(pid, status, 0);
	return rc;
}

/* "kernel PATH", "ramdisk PATH", "args WORDS", each with a NUL. */
static int output_take(struct bootloader *loader, const char *output, size_t size)
{
	static const char *const keys[] = {"kernel ", "ramdisk ", "args "};
	char **const fields[] = {&loader->kernel, &loader->ramdisk, &loader->cmdline};

	while (size) {
		size_t length = strnlen(output, size);

		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			size_t key = strlen(keys[i]);

			if (length < key || strncmp(output, keys[i], key) != 0)
				continue;
			free(*fields[i]);
			*fields[i] = strndup(output + key, length - key);
			if (!*fields[i])
				return -ENOMEM;
		}
		size -= length < size ? length + 1 : length;
		output += length < size ? length + 1 : length;
	}
	if (!loader->cmdline)
		loader->cmdline = strdup("");
	return loader->kernel && *loader->kernel && loader->cmdline ? 0 : -ENOEXEC;
}

static int output_read(struct bootloader *loader)
{
	char path[PATH_MAX + 16], *output = calloc(1, OUTPUT_MAX);
	FILE *file;
	size_t n = 0;
	int rc;

	if (!output)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/output", loader->dir);
	file = fopen(path, "re");
	if (file) {
		n = fread(output, 1, OUTPUT_MAX - 1, file);
		fclose(file);
	}
	rc = output_take(loader, output, n);
	free(output);
	return rc;
}

/* A file that it made itself: one taken over by the guest's disk may name any of this host's. */
static bool is_own(const struct bootloader *loader, const char *file)
{
	char *dir = realpath(loader->dir, NULL), *path = file ? realpath(file, NULL) : NULL;
	size_t length = dir ? strlen(dir) : 0;
	bool own = !file || (path && length && !strncmp(path, dir, length) && path[length] == '/');

	free(dir);
	free(path);
	return own;
}

/* The last line that it printed. */
static void last_words(const struct bootloader *loader, char *words, size_t size)
{
	char path[PATH_MAX + 16], line[256];
	FILE *log;

	snprintf(words, size, "it found no kernel");
	snprintf(path, sizeof(path), "%s/log", loader->dir);
	log = fopen(path, "re");
	while (log && fgets(line, sizeof(line), log)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			snprintf(words, size, "%s", line);
	}
	if (log)
		fclose(log);
}

static int file_make(const struct bootloader *loader, const char *name)
{
	char path[PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", loader->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int run(struct toolstack *ts, const struct argv *argv, const struct bootloader *loader,
	       bool menu)
{
	int output = file_make(loader, "output"), log = menu ? -1 : file_make(loader, "log");
	int rc = output < 0 ? output : !menu && log < 0 ? log : 0, status = 0;
	pid_t pid;

	if (rc)
		goto out;
	fflush(NULL);
	pid = fork();
	if (!pid)
		become_loader(ts, argv, log);
	rc = pid < 0 ? -errno : wait_for(ts, pid, &status);
	if (!rc && status)
		rc = -ENOEXEC;
out:
	if (output >= 0)
		close(output);
	if (log >= 0)
		close(log);
	return rc;
}

int bootloader_run(struct toolstack *ts, const struct domain_config *config, bool menu,
		   struct bootloader *loader, struct fault *fault)
{
	const char *name = config_text(config, OPTION_BOOTLOADER);
	char words[256] = "", *path = NULL;
	struct argv argv = {0};
	int rc = program_of(config, &path);

	*loader = (struct bootloader){0};
	if (!rc)
		rc = directory_make(loader);
	if (!rc) {
		words_compose(&argv, config, path, loader->dir, menu);
		rc = argv.rc;
	}
	if (!rc)
		rc = run(ts, &argv, loader, menu);
	if (!rc)
		rc = output_read(loader);
	if (!rc && is_restricted(path, menu) &&
	    !(is_own(loader, loader->kernel) && is_own(loader, loader->ramdisk))) {
		snprintf(words, sizeof(words), "it names a file that it did not make");
		rc = -EPERM;
	}
	argv_free(&argv);
	free(path);
	if (!rc)
		return 0;
	if (rc == -ENOEXEC)
		last_words(loader, words, sizeof(words));
	bootloader_free(loader);
	if (rc == -EINTR)
		return fault_set(fault, rc, "interrupted");
	return fault_set(fault, rc, "%s: bootloader %s on %s: %s", config->source, name,
			 config->disk[0].target, *words ? words : strerror(-rc));
}

void bootloader_free(struct bootloader *loader)
{
	if (*loader->dir)
		directory_remove(loader->dir);
	free(loader->kernel);
	free(loader->ramdisk);
	free(loader->cmdline);
	*loader = (struct bootloader){0};
}
