#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/config/disk_words.h"
#include "toolstack/late_xlutil.h"

const char *disk_format_word(enum disk_format format)
{
	static const char *const words[] = {
		[DISK_RAW] = "raw", [DISK_QCOW2] = "qcow2", [DISK_QCOW] = "qcow",
		[DISK_VHD] = "vhd", [DISK_QED] = "qed",     [DISK_VMDK] = "vmdk",
		[DISK_VDI] = "vdi",
	};

	return words[format];
}

void disk_config_free(struct disk_config *disk)
{
	free(disk->target);
	free(disk->script);
	*disk = (struct disk_config){0};
}

struct disk_config *domain_config_disk(const struct domain_config *config, uint32_t number)
{
	for (size_t i = 0; i < config->disks; i++)
		if (config->disk[i].number == number)
			return &config->disk[i];
	return NULL;
}

void domain_config_disk_remove(struct domain_config *config, uint32_t number)
{
	struct disk_config *disk = domain_config_disk(config, number);

	if (!disk)
		return;
	disk_config_free(disk);
	*disk = config->disk[--config->disks];
}

/* "SOURCE: config parsing error in disk specification: WORDS\n" -> WORDS */
static const char *words_of(char *report)
{
	static const char noise[] = "disk specification: ";
	char *found = strstr(report, noise);

	report[strcspn(report, "\n")] = '\0';
	return found ? found + sizeof(noise) - 1 : report;
}

static int library_parse(const char *spec, const char *place, libxl_device_disk *disk,
			 struct fault *fault)
{
	char *report = NULL;
	size_t size;
	FILE *stream = open_memstream(&report, &size);
	XLU_Config *xlu = stream ? xlu_cfg_init(stream, "spec") : NULL;
	int rc = xlu ? xlu_disk_parse(xlu, 1, &spec, disk) : ENOMEM;

	if (xlu)
		xlu_cfg_destroy(xlu);
	if (stream)
		fclose(stream);
	if (rc == ENOMEM)
		fault_memory(fault);
	else if (rc)
		fault_set(fault, -rc, "%s: %s; see xl-disk-configuration(5)", place,
			  words_of(report));
	free(report);
	return -rc;
}

/* What the grammar has and this version does not carry out. */
static int supported(const libxl_device_disk *from, const char *place, struct fault *fault)
{
	const char *what = NULL;

	if (from->is_cdrom && (from->backend == LIBXL_DISK_BACKEND_QDISK || from->script))
		what = "a CD-ROM with backendtype=qdisk or a script";
	else if (from->backend == LIBXL_DISK_BACKEND_TAP)
		what = "backendtype=tap";
	else if (from->backend == LIBXL_DISK_BACKEND_STANDALONE)
		what = "backendtype=standalone";
	else if (from->backend_domname)
		what = "backend=";
	else if (!libxl_defbool_is_default(from->colo_enable))
		what = "colo";
	else if (from->specification == LIBXL_DISK_SPECIFICATION_VIRTIO)
		what = "specification=virtio";
	if (what)
		return fault_set(fault, -EINVAL,
				 "%s: %s is not supported by this version; leave it out", place,
				 what);
	return 0;
}

static int format_take(const libxl_device_disk *from, enum disk_format ours, const char *place,
		       struct disk_config *disk, struct fault *fault)
{
	switch (from->format) {
	case LIBXL_DISK_FORMAT_QCOW2:
		disk->format = DISK_QCOW2;
		break;
	case LIBXL_DISK_FORMAT_QCOW:
		disk->format = DISK_QCOW;
		break;
	case LIBXL_DISK_FORMAT_VHD:
		disk->format = DISK_VHD;
		break;
	case LIBXL_DISK_FORMAT_QED:
		disk->format = DISK_QED;
		break;
	default:
		disk->format = DISK_RAW;
	}
	if (ours != DISK_RAW)
		disk->format = ours;
	if (from->script && (from->backend == LIBXL_DISK_BACKEND_QDISK || disk->format != DISK_RAW))
		return fault_set(fault, -EINVAL,
				 "%s: script= goes with backendtype=phy and format=raw only",
				 place);
	if (from->backend == LIBXL_DISK_BACKEND_QDISK)
		disk->backend = DISK_QDISK;
	return 0;
}

static int vdev_take(const char *name, const char *place, struct disk_config *disk,
		     struct fault *fault)
{
	switch (vdev_number(name, &disk->number)) {
	case 0:
		vdev_name(disk->number, disk->vdev);
		return 0;
	case -ERANGE:
		return fault_set(fault, -EINVAL,
				 "%s: vdev %s has no number; xvd has 1048576 disks of 255 "
				 "partitions, sd 16 of 15, hd 4 of 63",
				 place, name);
	default:
		return fault_set(
			fault, -EINVAL,
			"%s: vdev %s is no disk; use a name such as xvda, sdb1, hdc or d0p1", place,
			name);
	}
}

static int target_take(const libxl_device_disk *from, const char *place, struct disk_config *disk,
		       struct fault *fault)
{
	bool empty = !from->pdev_path || !*from->pdev_path;

	disk->cdrom = from->is_cdrom;
	if (empty && disk->cdrom) {
		disk->target = strdup("");
		return disk->target ? 0 : fault_memory(fault);
	}
	if (empty)
		return fault_set(fault, -EINVAL, "%s: no target; add target=PATH at its end",
				 place);
	disk->target = strdup(from->pdev_path);
	disk->script = from->script ? strdup(from->script) : NULL;
	disk->remote = !from->script && disk_target_remote(from->pdev_path);
	if (disk->remote && disk->backend == DISK_QDISK)
		return fault_set(fault, -EINVAL,
				 "%s: %s is not for backendtype=qdisk; leave backendtype out",
				 place, from->pdev_path);
	if (disk->remote && disk->format != DISK_RAW)
		return fault_set(fault, -EINVAL, "%s: %s has no format; leave format=%s out", place,
				 from->pdev_path, disk_format_word(disk->format));
	return !disk->target || (from->script && !disk->script) ? fault_memory(fault) : 0;
}

/* Is the word before the first '=' one of lib/qos.h? */
static bool is_limit(const char *word, size_t length)
{
	char key[40];

	length = strcspn(word, "=") < length ? strcspn(word, "=") : length;
	if (length >= sizeof(key))
		return false;
	memcpy(key, word, length);
	key[length] = '\0';
	return qos_is_key(key);
}

/* Our words out of xl's; behind target= all is the target's. The rest is for free(3), or NULL. */
static char *limits_take(const char *spec, const char *place, struct qos_limits *limits,
			 struct fault *fault)
{
	size_t room = strlen(spec) + 1, used = 0;
	char *rest = malloc(room), why[200];
	const char *word = spec;

	if (!rest) {
		fault_memory(fault);
		return NULL;
	}
	while (*word && strncmp(word, "target=", 7) != 0) {
		size_t length = strcspn(word, ",");
		bool more = word[length] == ',';

		if (!is_limit(word, length)) {
			memcpy(rest + used, word, length + more);
			used += length + more;
		} else {
			char one[80];

			snprintf(one, sizeof(one), "%.*s", (int)length, word);
			if (qos_set(limits, one, why, sizeof(why)))
				goto wrong;
		}
		word += length + more;
	}
	if (!*word && used && rest[used - 1] == ',')
		used--;
	snprintf(rest + used, room - used, "%s", word);
	if (!qos_check(limits, why, sizeof(why)))
		return rest;
wrong:
	fault_set(fault, -EINVAL, "%s: %s", place, why);
	free(rest);
	return NULL;
}

static int limits_check(const struct disk_config *disk, const char *place, struct fault *fault)
{
	char text[QOS_TEXT_SIZE];

	qos_print(&disk->qos, text);
	if (*text && disk->backend == DISK_QDISK)
		return fault_set(fault, -EINVAL,
				 "%s: limits (%s) go with backendtype=phy only; leave them out",
				 place, text);
	return 0;
}

int disk_config_parse(const char *spec, const char *place, struct disk_config *disk,
		      struct fault *fault)
{
	struct disk_words words;
	libxl_device_disk from;
	char *rest;
	int rc;

	*disk = (struct disk_config){0};
	rc = disk_words_take(spec, place, &words, fault);
	if (rc)
		return rc;
	libxl_device_disk_init(&from);
	rest = limits_take(words.rest, place, &disk->qos, fault);
	free(words.rest);
	rc = rest ? library_parse(rest, place, &from, fault) : -EINVAL;
	if (!rc)
		rc = supported(&from, place, fault);
	if (!rc)
		rc = vdev_take(from.vdev, place, disk, fault);
	if (!rc)
		rc = format_take(&from, words.format, place, disk, fault);
	if (!rc)
		rc = target_take(&from, place, disk, fault);
	disk->writable = from.readwrite;
	disk->discard = libxl_defbool_is_default(from.discard_enable) ||
			libxl_defbool_val(from.discard_enable);
	disk->direct_io_safe = from.direct_io_safe;
	disk->untrusted = words.untrusted;
	disk->sector_size = words.sector_size;
	disk->units = words.units;
	disk->polling = words.polling;
	disk->persistent = words.persistent;
	disk->timed = words.timed;
	disk->timeout_s = words.timeout_s;
	libxl_device_disk_dispose(&from);
	free(rest);
	if (!rc)
		rc = limits_check(disk, place, fault);
	if (rc)
		disk_config_free(disk);
	return rc;
}
