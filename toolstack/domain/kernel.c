#include "toolstack/domain/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/device/model.h"
#include "toolstack/domain/boot.h"
#include "toolstack/program.h"

static int program_plan(struct domain_config *config, struct fault *fault)
{
	char place[256], *path = NULL;
	int rc = program_find(config->kernel, &path);

	domain_config_place(config, config->kernel_line, place, sizeof(place));
	switch (rc) {
	case 0:
		free(config->kernel);
		config->kernel = path;
		return 0;
	case -ENOENT:
		if (strchr(config->kernel, '/'))
			return fault_set(fault, rc,
					 "%s: kernel %s does not exist; correct the path", place,
					 config->kernel);
		return fault_set(
			fault, rc,
			"%s: kernel %s is neither beside this program nor in $PATH; give its "
			"path",
			place, config->kernel);
	case -EACCES:
		return fault_set(
			fault, rc,
			"%s: kernel %s is no executable file; name a program, or chmod +x it",
			place, config->kernel);
	default:
		return fault_set(fault, rc, "%s: kernel %s: %s", place, config->kernel,
				 strerror(-rc));
	}
}

/* What libxenguest loads: an ELF file, or Linux' own format (its Documentation/x86/boot.rst). */
static bool is_kernel(int fd)
{
	char head[4] = "", setup[4] = "";

	if (pread(fd, head, sizeof(head), 0) != sizeof(head))
		return false;
	if (!memcmp(head, "\177ELF", 4) || !memcmp(head, "\37\213", 2))
		return true;
	return pread(fd, setup, sizeof(setup), 0x202) == sizeof(setup) && !memcmp(setup, "HdrS", 4);
}

/* Return: NULL, or what is wrong with the file and what to do. */
static const char *file_check(int fd, bool kernel)
{
	struct stat stat_of;

	if (fstat(fd, &stat_of) || !S_ISREG(stat_of.st_mode))
		return "is no file; correct the path";
	if (!stat_of.st_size)
		return "is empty; correct the path";
	if (kernel && !is_kernel(fd))
		return "is no kernel (ELF or bzImage); correct the path";
	return NULL;
}

static int file_plan(char **path, const char *what, const char *place, bool kernel,
		     struct fault *fault)
{
	char *real = realpath(*path, NULL);
	int fd = real ? open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	const char *wrong;
	int rc;

	if (fd < 0) {
		rc = -errno;
		free(real);
		if (rc == -ENOENT)
			return fault_set(fault, rc, "%s: %s %s does not exist; correct the path",
					 place, what, *path);
		return fault_set(fault, rc, "%s: %s %s cannot be read: %s", place, what, *path,
				 strerror(-rc));
	}
	wrong = file_check(fd, kernel);
	close(fd);
	if (wrong) {
		free(real);
		return fault_set(fault, -EINVAL, "%s: %s %s %s", place, what, *path, wrong);
	}
	free(*path);
	*path = real;
	return 0;
}

static int machine_plan(const struct domain_config *config, struct fault *fault)
{
	struct firmware firmware;
	int rc = firmware_find(config, &firmware, fault);

	if (rc)
		return rc;
	firmware_free(&firmware);
	return model_plan(config, fault);
}

int kernel_plan(struct domain_config *config, struct fault *fault)
{
	char place[256];
	int rc;

	if (config->type == DOMAIN_PROCESS)
		return program_plan(config, fault);
	if (config->type == DOMAIN_HVM) {
		rc = machine_plan(config, fault);
		if (rc || !config->kernel)
			return rc;
	} else if (config->option[OPTION_FIRMWARE].given) {
		return boot_plan(config, fault);
	} else if (config->option[OPTION_BOOTLOADER].given) {
		/* Kernel and ramdisk are paths in the guest's disk then. */
		return bootloader_plan(config, fault);
	}
	domain_config_place(config, config->kernel_line, place, sizeof(place));
	rc = file_plan(&config->kernel, "kernel", place, true, fault);
	if (rc || !config->ramdisk)
		return rc;
	domain_config_place(config, config->ramdisk_line, place, sizeof(place));
	return file_plan(&config->ramdisk, "ramdisk", place, false, fault);
}
