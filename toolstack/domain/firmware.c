#include "toolstack/domain/firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/xen/xen.h"

/* Of Xen's private files, with the version of our libxenguest. */
#define XEN_BOOT "/usr/lib/xen-4.17/boot"
#define SEABIOS  "/usr/share/seabios/bios-256k.bin"
#define OVMF     "/usr/share/ovmf/OVMF.fd"

/* Where Xen's own build has the OVMF that is made for it; Debian's is not. */
#define OVMF_XEN XEN_BOOT "/ovmf.bin"

static const char *image_of(const char *bios)
{
	if (*bios != 'o')
		return SEABIOS;
	return access(OVMF_XEN, R_OK) ? OVMF : OVMF_XEN;
}

/* A file that somebody named in the config, or the one that a package has in its place. */
struct file {
	const char *path;
	enum domain_option option;
	bool named;
};

/* firmware= is bios= in newer words, or a file. */
static int bios_choose(const struct domain_config *config, struct firmware *firmware,
		       struct file *file, struct fault *fault)
{
	const char *word = config_text(config, OPTION_FIRMWARE);
	enum domain_option option = word ? OPTION_FIRMWARE : OPTION_BIOS;
	char place[256];

	if (!word)
		word = config_text(config, OPTION_BIOS);
	firmware->bios = "seabios";
	*file = (struct file){config_text(config, OPTION_BIOS_PATH_OVERRIDE),
			      OPTION_BIOS_PATH_OVERRIDE, true};
	if (word && (!strcmp(word, "uefi") || !strcmp(word, "ovmf"))) {
		firmware->bios = "ovmf";
	} else if (word && strchr(word, '/')) {
		*file = (struct file){word, option, true};
	} else if (word && strcmp(word, "bios") != 0 && strcmp(word, "seabios") != 0) {
		option_place(config, option, place, sizeof(place));
		return fault_set(fault, -EINVAL,
				 "%s: %s=\"%s\" is no firmware of an HVM guest; use seabios, ovmf "
				 "or a path",
				 place, option_key(option), word);
	}
	if (!file->path)
		*file = (struct file){image_of(firmware->bios), option, false};
	return 0;
}

/* As libxenguest takes it, which unpacks one that was gzipped. */
static bool is_elf(int fd)
{
	char head[4] = "";

	return pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	       (!memcmp(head, "\177ELF", 4) || !memcmp(head, "\37\213", 2));
}

static int file_open(const char *path, off_t most, bool is_loader)
{
	struct stat stat = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc = fd < 0 || fstat(fd, &stat) ? -errno : 0;

	if (!rc && !S_ISREG(stat.st_mode))
		rc = S_ISDIR(stat.st_mode) ? -EISDIR : -EINVAL;
	if (!rc && (!stat.st_size || stat.st_size > most))
		rc = stat.st_size ? -EFBIG : -ENODATA;
	if (!rc && is_loader && !is_elf(fd))
		rc = -ENOEXEC;
	if (fd >= 0)
		close(fd);
	return rc;
}

static const char *wrong_of(int rc)
{
	switch (rc) {
	case -ENOENT:
		return "does not exist";
	case -EISDIR:
		return "is a directory";
	case -EINVAL:
		return "is no file";
	case -ENODATA:
		return "is empty";
	case -EFBIG:
		return "is too large for a firmware";
	case -ENOEXEC:
		return "is no ELF file, as hvmloader and kernels in its place are";
	default:
		return strerror(-rc);
	}
}

static int file_check(const struct domain_config *config, const struct file *file,
		      const char *package, struct fault *fault)
{
	bool is_loader = file->option == OPTION_FIRMWARE_OVERRIDE;
	int rc = file_open(file->path, is_loader ? INT32_MAX : XEN_FIRMWARE_MAX, is_loader);
	char place[256];

	if (!rc)
		return 0;
	option_place(config, file->option, place, sizeof(place));
	return fault_set(fault, rc, "%s: %s %s: %s; %s%s", place,
			 file->named ? option_key(file->option) : "firmware", file->path,
			 wrong_of(rc), file->named ? "correct the path" : "install the package ",
			 file->named ? "" : package);
}

static int loader_take(const struct domain_config *config, struct firmware *firmware,
		       struct fault *fault)
{
	const char *own = config_text(config, OPTION_FIRMWARE_OVERRIDE);
	struct file file = {.option = OPTION_FIRMWARE_OVERRIDE, .named = own};
	int n = own && strchr(own, '/')
			? asprintf(&firmware->loader, "%s", own)
			: asprintf(&firmware->loader, XEN_BOOT "/%s", own ? own : "hvmloader");

	if (n < 0) {
		firmware->loader = NULL;
		return fault_memory(fault);
	}
	file.path = firmware->loader;
	return file_check(config, &file, "xen-utils-4.17", fault);
}

int firmware_find(const struct domain_config *config, struct firmware *firmware,
		  struct fault *fault)
{
	struct file bios;
	int rc;

	*firmware = (struct firmware){0};
	rc = bios_choose(config, firmware, &bios, fault);
	if (!rc)
		rc = loader_take(config, firmware, fault);
	/* A kernel in hvmloader's place may do without. */
	if (!rc && !bios.named && config->option[OPTION_FIRMWARE_OVERRIDE].given &&
	    access(bios.path, R_OK))
		return 0;
	if (!rc) {
		firmware->image = strdup(bios.path);
		rc = firmware->image ? 0 : fault_memory(fault);
	}
	if (!rc)
		rc = file_check(config, &bios, *firmware->bios == 'o' ? "ovmf" : "seabios", fault);
	if (rc)
		firmware_free(firmware);
	return rc;
}

void firmware_free(struct firmware *firmware)
{
	free(firmware->loader);
	free(firmware->image);
	*firmware = (struct firmware){0};
}
