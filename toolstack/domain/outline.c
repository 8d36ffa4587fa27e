#include "toolstack/domain/outline.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/device/script.h"
#include "toolstack/domain/boot.h"
#include "toolstack/domain/layout.h"
#include "toolstack/domain/tuning.h"

#define NUMBER "32751"

/* A bootloader is not run, for it would read the guest's disk: the kernel is "found at boot". */
static int boot_find(struct toolstack *ts, const struct domain_config *config, struct boot *boot,
		     struct fault *fault)
{
	*boot = (struct boot){.cmdline = config->cmdline};
	return config->option[OPTION_BOOTLOADER].given
		       ? 0
		       : boot_prepare(ts, config, false, boot, fault);
}

static int steps_make(struct toolstack *ts, const struct domain_config *config,
		      struct outline *outline, struct layout *layout, struct fault *fault)
{
	struct xen_limits limits;
	struct xen_image image;
	struct boot boot;
	int rc = tuning_limits(ts, config, &limits, fault);

	if (rc)
		return rc;
	rc = boot_find(ts, config, &boot, fault);
	if (!rc) {
		boot_limits(config, &limits);
		boot_image(config, &boot, &image);
		layout->bios = boot.firmware.bios;
		layout->video_kib = boot.video_kib;
		outline->steps = xen_outline(&limits, &image, outline->step);
		boot_free(&boot);
	}
	tuning_limits_free(&limits);
	return rc;
}

static bool scripts_wanted(const struct domain_config *config)
{
	bool wanted = false;

	for (size_t i = 0; i < config->disks; i++)
		wanted = wanted || config->disk[i].script;
	for (size_t i = 0; i < config->vifs; i++)
		wanted = wanted || config->vif[i].script;
	return wanted;
}

int outline_make(struct toolstack *ts, const struct domain_config *config, struct outline *outline,
		 struct fault *fault)
{
	struct layout layout = {.domid = OUTLINE_DOMID};
	char *text;
	int rc;

	*outline = (struct outline){0};
	rc = steps_make(ts, config, outline, &layout, fault);
	if (rc)
		return rc;
	text = domain_config_print(config);
	if (!text)
		return fault_memory(fault);
	layout_domain(&outline->nodes, config, &layout);
	layout_devices(&outline->nodes, config, &layout);
	layout_record(&outline->nodes, config, layout.domid, text);
	free(text);
	if (scripts_wanted(config))
		nodes_add(&outline->nodes, "/local/domain/0", UDEV_DISABLED, "1");
	return outline->nodes.rc ? fault_memory(fault) : 0;
}

void outline_free(struct outline *outline)
{
	nodes_free(&outline->nodes);
}

/* Only where the number stands alone, as in a path. */
char *outline_text(const char *text)
{
	char *copy = strdup(text), *at = copy, *found;

	while (at && (found = strstr(at, NUMBER))) {
		char *behind = found + sizeof(NUMBER) - 1;

		at = behind;
		if ((found > copy && isalnum((unsigned char)found[-1])) ||
		    isalnum((unsigned char)*behind))
			continue;
		*found = 'N';
		memmove(found + 1, behind, strlen(behind) + 1);
		at = found + 1;
	}
	return copy;
}
