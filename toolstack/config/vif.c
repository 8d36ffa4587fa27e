#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "toolstack/config/domain_config.h"
#include "toolstack/late_xlutil.h"

#define DEFAULT_BRIDGE "xenbr0"

/* Linux' own bounds of a link's MTU: IPv4 needs 68, a packet's length has 16 bits. */
#define MTU_MIN 68u
#define MTU_MAX 65535u

struct vif_word {
	const char *place, *key, *value;
	struct vif_config *vif;
	struct fault *fault;
};

void vif_config_free(struct vif_config *vif)
{
	free(vif->bridge);
	free(vif->name);
	free(vif->script);
	free(vif->ip);
	free(vif->model);
	*vif = (struct vif_config){0};
}

struct vif_config *domain_config_vif(const struct domain_config *config, uint32_t devid)
{
	for (size_t i = 0; i < config->vifs; i++)
		if (config->vif[i].devid == (int)devid)
			return &config->vif[i];
	return NULL;
}

void domain_config_vif_remove(struct domain_config *config, uint32_t devid)
{
	struct vif_config *vif = domain_config_vif(config, devid);

	if (!vif)
		return;
	vif_config_free(vif);
	*vif = config->vif[--config->vifs];
}

static int text_set(const struct vif_word *w, char **field)
{
	free(*field);
	*field = strdup(w->value);
	return *field ? 0 : fault_memory(w->fault);
}

static int mac_set(const struct vif_word *w)
{
	const char *why;

	if (mac_parse(w->value, w->vif->mac))
		return fault_set(w->fault, -EINVAL,
				 "%s: mac %s is no address; write six pairs of hexadecimal digits, "
				 "as in 00:16:3e:00:00:01",
				 w->place, w->value);
	why = mac_why_unfit(w->vif->mac);
	if (why)
		return fault_set(w->fault, -EINVAL,
				 "%s: mac %s %s; use one that begins with 00:16:3e", w->place,
				 w->value, why);
	w->vif->mac_given = true;
	return 0;
}

static int interface_set(const struct vif_word *w, char **field)
{
	size_t length = strlen(w->value);
	bool fits = length > 0 && length < IFNAMSIZ && strcmp(w->value, ".") != 0 &&
		    strcmp(w->value, "..") != 0;

	for (const char *p = w->value; *p && fits; p++)
		fits = isgraph((unsigned char)*p) && !strchr("/:%", *p);
	if (!fits)
		return fault_set(w->fault, -EINVAL,
				 "%s: %s \"%s\" is no name of an interface; use 1 to %d letters, "
				 "digits, '.', '-' or '_'",
				 w->place, w->key, w->value, IFNAMSIZ - 1);
	return text_set(w, field);
}

static int bridge_set(const struct vif_word *w)
{
	return interface_set(w, &w->vif->bridge);
}

static int name_set(const struct vif_word *w)
{
	return interface_set(w, &w->vif->name);
}

static int script_set(const struct vif_word *w)
{
	return text_set(w, &w->vif->script);
}

static int ip_set(const struct vif_word *w)
{
	return text_set(w, &w->vif->ip);
}

static int number_set(const struct vif_word *w, uint32_t least, uint32_t most, uint32_t *number)
{
	uint64_t value;

	if (number_parse(w->value, most, &value) || value < least)
		return fault_set(w->fault, -EINVAL,
				 "%s: %s %s is not a number from %" PRIu32 " to %" PRIu32, w->place,
				 w->key, w->value, least, most);
	*number = (uint32_t)value;
	return 0;
}

static int devid_set(const struct vif_word *w)
{
	uint32_t devid = 0;
	int rc = number_set(w, 0, DEVICES_MAX - 1, &devid);

	if (!rc)
		w->vif->devid = (int)devid;
	return rc;
}

static int mtu_set(const struct vif_word *w)
{
	return number_set(w, MTU_MIN, MTU_MAX, &w->vif->mtu);
}

static int type_set(const struct vif_word *w)
{
	if (!strcmp(w->value, "vif"))
		w->vif->kind = VIF_PV_ONLY;
	else if (!strcmp(w->value, "ioemu"))
		w->vif->kind = VIF_IOEMU;
	else
		return fault_set(w->fault, -EINVAL, "%s: type=%s is unknown; use vif or ioemu",
				 w->place, w->value);
	return 0;
}

/* The name becomes a word of QEMU's command line. */
static int model_set(const struct vif_word *w)
{
	for (const char *p = w->value; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
			return fault_set(w->fault, -EINVAL,
					 "%s: model=%s is no card; write for example e1000 or "
					 "rtl8139",
					 w->place, w->value);
	return text_set(w, &w->vif->model);
}

static int trusted_set(const struct vif_word *w)
{
	uint32_t trusted = 1;
	int rc = number_set(w, 0, 1, &trusted);

	w->vif->trusted = trusted;
	return rc;
}

/* libxlutil takes "@20m" for 20 ms. */
static bool is_interval(const char *rate)
{
	const char *at = strchr(rate, '@');

	if (!at)
		return true;
	at += 1 + strspn(at + 1, "0123456789");
	return !strcmp(at, "us") || !strcmp(at, "ms") || !strcmp(at, "s");
}

static int rate_set(const struct vif_word *w)
{
	FILE *nowhere = fopen("/dev/null", "we");
	XLU_Config *xlu = nowhere ? xlu_cfg_init(nowhere, "rate") : NULL;
	libxl_device_nic nic;
	int rc;

	libxl_device_nic_init(&nic);
	rc = xlu ? xlu_vif_parse_rate(xlu, w->value, &nic) : ENOMEM;
	w->vif->rate_bytes = nic.rate_bytes_per_interval;
	w->vif->rate_usecs = nic.rate_interval_usecs;
	libxl_device_nic_dispose(&nic);
	if (xlu)
		xlu_cfg_destroy(xlu);
	if (nowhere)
		fclose(nowhere);
	if (rc == ENOMEM)
		return fault_memory(w->fault);
	if (rc || !is_interval(w->value))
		return fault_set(w->fault, -EINVAL,
				 "%s: rate %s is no rate; write for example 10Mb/s, 250KB/s or "
				 "1MB/s@20ms",
				 w->place, w->value);
	return 0;
}

static const struct {
	const char *key;
	int (*set)(const struct vif_word *w);
} vif_keys[] = {
	{"mac", mac_set},     {"bridge", bridge_set},   {"vifname", name_set},  {"ip", ip_set},
	{"devid", devid_set}, {"mtu", mtu_set},         {"rate", rate_set},     {"type", type_set},
	{"model", model_set}, {"trusted", trusted_set}, {"script", script_set},
};

/* In xl-network-configuration(5), and not carried out here. */
static const char *const vif_keys_refused[] = {"accel", "backend", "gatewaydev", "netdev"};

#define VIF_KEYS (sizeof(vif_keys) / sizeof(vif_keys[0]))

const char *vif_config_key(size_t n)
{
	return n < VIF_KEYS ? vif_keys[n].key : NULL;
}

static int word_unknown(const struct vif_word *w)
{
	char known[160] = "";

	for (size_t i = 0; i < VIF_KEYS; i++) {
		strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, vif_keys[i].key, sizeof(known) - strlen(known) - 1);
	}
	return fault_set(w->fault, -EINVAL, "%s: unknown word %s=; a vif has %s", w->place, w->key,
			 known);
}

static int word_take(const struct vif_word *w)
{
	for (size_t i = 0; i < VIF_KEYS; i++)
		if (!strcmp(w->key, vif_keys[i].key))
			return vif_keys[i].set(w);
	for (size_t i = 0; i < sizeof(vif_keys_refused) / sizeof(vif_keys_refused[0]); i++)
		if (!strcmp(w->key, vif_keys_refused[i]))
			return fault_set(w->fault, -EINVAL,
					 "%s: %s= is not supported by this version; leave it out",
					 w->place, w->key);
	return word_unknown(w);
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && strchr(" \t", text[length - 1]))
		text[--length] = '\0';
	return text;
}

static int words_take(char *words, struct vif_word *w)
{
	char *word, *value;
	int rc = 0;

	while (!rc && (word = strsep(&words, ","))) {
		word = trim(word);
		if (!*word)
			continue;
		value = strchr(word, '=');
		if (!strcmp(word, "trusted") || !strcmp(word, "untrusted")) {
			w->vif->trusted = *word == 't';
			continue;
		}
		if (!value)
			return fault_set(w->fault, -EINVAL,
					 "%s: \"%s\" is no KEY=VALUE; write for example mac=%s",
					 w->place, word, "00:16:3e:00:00:01");
		*value++ = '\0';
		w->key = trim(word);
		w->value = trim(value);
		if (!*w->value)
			return fault_set(w->fault, -EINVAL,
					 "%s: %s= has no value; give one or leave it out", w->place,
					 w->key);
		rc = word_take(w);
	}
	return rc;
}

int vif_config_parse(const char *spec, const char *place, struct vif_config *vif,
		     struct fault *fault)
{
	struct vif_word w = {.place = place, .vif = vif, .fault = fault};
	char *words = strdup(spec);
	int rc;

	*vif = (struct vif_config){.devid = -1, .trusted = true};
	rc = words ? words_take(words, &w) : fault_memory(fault);
	if (!rc && !vif->bridge) {
		vif->bridge = strdup(DEFAULT_BRIDGE);
		if (!vif->bridge)
			rc = fault_memory(fault);
	}
	free(words);
	if (rc)
		vif_config_free(vif);
	return rc;
}
