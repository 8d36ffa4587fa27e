#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "toolstack/config/parse.h"

void domain_config_free(struct domain_config *config)
{
	for (size_t i = 0; i < config->disks; i++)
		disk_config_free(&config->disk[i]);
	for (size_t i = 0; i < config->vifs; i++)
		vif_config_free(&config->vif[i]);
	free(config->disk);
	free(config->vif);
	free(config->source);
	free(config->name);
	free(config->kernel);
	free(config->ramdisk);
	free(config->cmdline);
	options_free(config);
	*config = (struct domain_config){0};
}

/*
 * Of C's escapes libxlutil has the numeric ones too, but does not
 * read on correctly behind them (4.17); any byte but a newline may stand for itself.
 */
void config_quote(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void setting(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%s=", key);
	config_quote(out, value);
	fputc('\n', out);
}

char *disk_config_spec(const struct disk_config *disk)
{
	char *spec = NULL, limits[QOS_TEXT_SIZE];
	size_t size;
	FILE *out = open_memstream(&spec, &size);

	if (!out)
		return NULL;
	fprintf(out, "format=%s,vdev=%s,access=%s,backendtype=%s", disk_format_word(disk->format),
		disk->vdev, disk->writable ? "rw" : "ro",
		disk->backend == DISK_QDISK ? "qdisk" : "phy");
	if (disk->cdrom)
		fprintf(out, ",devtype=cdrom");
	fprintf(out, ",%s%s", disk->discard ? "discard" : "no-discard",
		disk->direct_io_safe ? ",direct-io-safe" : "");
	if (disk->untrusted)
		fprintf(out, ",untrusted");
	if (disk->sector_size)
		fprintf(out, ",sector-size=%" PRIu32, disk->sector_size);
	if (disk->units)
		fprintf(out, ",legacy-sector-units=%s", disk->units);
	if (disk->polling)
		fprintf(out, ",polling=%s", disk->polling);
	if (disk->persistent)
		fprintf(out, ",persistent=%s", disk->persistent);
	if (disk->timed)
		fprintf(out, ",request-timeout=%" PRIu32, disk->timeout_s);
	if (disk->script)
		fprintf(out, ",script=%s", disk->script);
	qos_print(&disk->qos, limits);
	if (*limits)
		fprintf(out, ",%s", limits);
	/* Last, for all that follows is the target as it stands. */
	fprintf(out, ",target=%s", disk->target);
	if (fclose(out)) {
		free(spec);
		return NULL;
	}
	return spec;
}

char *vif_config_spec(const struct vif_config *vif)
{
	char mac[MAC_TEXT_SIZE], *spec = NULL;
	size_t size;
	FILE *out = open_memstream(&spec, &size);

	if (!out)
		return NULL;
	fprintf(out, "devid=%d,bridge=%s,trusted=%d", vif->devid, vif->bridge, vif->trusted);
	mac_format(vif->mac, mac);
	if (vif->mac_given)
		fprintf(out, ",mac=%s", mac);
	if (vif->name)
		fprintf(out, ",vifname=%s", vif->name);
	if (vif->script)
		fprintf(out, ",script=%s", vif->script);
	if (vif->ip)
		fprintf(out, ",ip=%s", vif->ip);
	if (vif->kind != VIF_DEFAULT)
		fprintf(out, ",type=%s", vif->kind == VIF_IOEMU ? "ioemu" : "vif");
	if (vif->model)
		fprintf(out, ",model=%s", vif->model);
	if (vif->mtu)
		fprintf(out, ",mtu=%" PRIu32, vif->mtu);
	/* Kept as bytes an interval; as bytes a second it comes out the same. */
	if (vif->rate_bytes)
		fprintf(out, ",rate=%" PRIu64 "B/s@%" PRIu32 "us",
			vif->rate_bytes * 1000000 / vif->rate_usecs, vif->rate_usecs);
	if (fclose(out)) {
		free(spec);
		return NULL;
	}
	return spec;
}

static int disks_print(FILE *out, const struct domain_config *config)
{
	fputs("disk=[", out);
	for (size_t i = 0; i < config->disks; i++) {
		char *spec = disk_config_spec(&config->disk[i]);

		if (!spec)
			return -1;
		fputs(i ? ",\n" : "\n", out);
		config_quote(out, spec);
		free(spec);
	}
	fputs("]\n", out);
	return 0;
}

static int vifs_print(FILE *out, const struct domain_config *config)
{
	fputs("vif=[", out);
	for (size_t i = 0; i < config->vifs; i++) {
		char *spec = vif_config_spec(&config->vif[i]);

		if (!spec)
			return -1;
		fputs(i ? ",\n" : "\n", out);
		config_quote(out, spec);
		free(spec);
	}
	fputs("]\n", out);
	return 0;
}

char *domain_config_extend(const char *text, const struct disk_config *disk,
			   const struct vif_config *vif)
{
	char *spec = disk ? disk_config_spec(disk) : vif_config_spec(vif), *extended = NULL;
	size_t size;
	FILE *out = spec ? open_memstream(&extended, &size) : NULL;

	if (out) {
		fprintf(out, "%s%s+=[", text, disk ? "disk" : "vif");
		config_quote(out, spec);
		fputs("]\n", out);
		if (fclose(out)) {
			free(extended);
			extended = NULL;
		}
	}
	free(spec);
	return extended;
}

static void texts_print(FILE *out, const struct option_value *value)
{
	fputc('[', out);
	for (size_t i = 0; i < value->count; i++) {
		if (i)
			fputc(',', out);
		config_quote(out, value->list[i]);
	}
	fputs("]\n", out);
}

static void option_print(FILE *out, enum domain_option option, const struct option_value *value)
{
	const char *key = option_key(option);

	switch (option_kind(option)) {
	case OPTION_IS_FLAG:
	case OPTION_IS_NUMBER:
		fprintf(out, "%s=\"%" PRId64 "\"\n", key, value->number);
		break;
	case OPTION_IS_TEXTS:
		if (!value->alone) {
			fprintf(out, "%s=", key);
			texts_print(out, value);
		} else {
			setting(out, key, value->list[0]);
		}
		break;
	case OPTION_IS_WORD:
	case OPTION_IS_TEXT:
	default:
		setting(out, key, value->text);
	}
}

char *domain_config_print(const struct domain_config *config)
{
	char uuid[UUID_STR_LEN], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc;

	if (!out)
		return NULL;
	uuid_unparse_lower(config->uuid, uuid);
	setting(out, "name", config->name);
	setting(out, "uuid", uuid);
	setting(out, "type", domain_type_word(config->type));
	if (config->kernel)
		setting(out, "kernel", config->kernel);
	if (config->ramdisk)
		setting(out, "ramdisk", config->ramdisk);
	setting(out, "cmdline", config->cmdline);
	fprintf(out,
		"memory=%" PRIu64 "\nmaxmem=%" PRIu64 "\nvcpus=%" PRIu32 "\nmaxvcpus=%" PRIu32 "\n",
		config->memory_kib >> 10, config->maxmem_kib >> 10, config->vcpus,
		config->maxvcpus);
	for (int end = 0; end < END_COUNT; end++)
		setting(out, domain_end_key((enum domain_end)end),
			domain_action_word(config->action[end]));
	for (int option = 0; option < OPTION_COUNT; option++)
		if (config->option[option].given)
			option_print(out, (enum domain_option)option, &config->option[option]);
	rc = disks_print(out, config);
	if (!rc)
		rc = vifs_print(out, config);
	if (fclose(out) || rc) {
		free(text);
		return NULL;
	}
	return text;
}
