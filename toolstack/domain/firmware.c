#include "toolstack/domain/firmware.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* firmware= is bios= in newer words, or a file. */
static int bios_choose(const struct domain_config *config, struct firmware *firmware,
		       const char **path, struct fault *fault)
{
	const char *word = config_text(config, OPTION_FIRMWARE);
	enum domain_option option = word ? OPTION_FIRMWARE : OPTION_BIOS;
	char place[256];

	if (!word)
		word = config_text(config, OPTION_BIOS);
	firmware->bios = "seabios";
	*path = config_text(config, OPTION_BIOS_PATH_OVERRIDE);
	if (word && (!strcmp(word, "uefi") || !strcmp(word, "ovmf"))) {
		firmware->bios = "ovmf";
	} else if (word && strchr(word, '/')) {
		*path = word;
	} else if (word && strcmp(word, "bios") != 0 && strcmp(word, "seabios") != 0) {
		option_place(config, option, place, sizeof(place));
		return fault_set(fault, -EINVAL,
				 "%s: %s=\"%s\" is no firmware of an HVM guest; use seabios, ovmf "
				 "or a path",
				 place, option_key(option), word);
	}
	if (!*path)
		*path = image_of(firmware->bios);
	return 0;
}

static int file_check(const struct domain_config *config, enum domain_option option,
		      const char *what, const char *path, const char *package, struct fault *fault)
{
	char place[256];
	int rc;

	if (!access(path, R_OK))
		return 0;
	rc = -errno;
	option_place(config, option, place, sizeof(place));
	return fault_set(fault, rc, "%s: %s %s: %s; %s%s", place, what, path, strerror(-rc),
			 config->option[option].given ? "correct the path" : "install the package ",
			 config->option[option].given ? "" : package);
}

static int loader_take(const struct domain_config *config, struct firmware *firmware,
		       struct fault *fault)
{
	const char *own = config_text(config, OPTION_FIRMWARE_OVERRIDE);
	int n = own && strchr(own, '/')
			? asprintf(&firmware->loader, "%s", own)
			: asprintf(&firmware->loader, XEN_BOOT "/%s", own ? own : "hvmloader");

	if (n < 0) {
		firmware->loader = NULL;
		return fault_memory(fault);
	}
	return file_check(config, OPTION_FIRMWARE_OVERRIDE, "firmware", firmware->loader,
			  "xen-utils-4.17", fault);
}

int firmware_find(const struct domain_config *config, struct firmware *firmware,
		  struct fault *fault)
{
	enum domain_option option = config->option[OPTION_FIRMWARE].given ? OPTION_FIRMWARE
				    : config->option[OPTION_BIOS_PATH_OVERRIDE].given
					    ? OPTION_BIOS_PATH_OVERRIDE
					    : OPTION_BIOS;
	const char *path = NULL;
	int rc;

	*firmware = (struct firmware){0};
	rc = bios_choose(config, firmware, &path, fault);
	if (!rc)
		rc = loader_take(config, firmware, fault);
	/* A kernel in hvmloader's place may do without. */
	if (!rc && config->option[OPTION_FIRMWARE_OVERRIDE].given && access(path, R_OK))
		return 0;
	if (!rc) {
		firmware->image = strdup(path);
		rc = firmware->image ? 0 : fault_memory(fault);
	}
	if (!rc)
		rc = file_check(config, option, "firmware", path,
				*firmware->bios == 'o' ? "ovmf" : "seabios", fault);
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
