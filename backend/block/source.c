#include "backend/block/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"

/* Formats: a word that users say, and QEMU's. */
static const struct {
	const char *word, *driver;
} formats[] = {
	{"qcow2", "qcow2"}, {"qcow", "qcow"}, {"vhd", "vpc"}, {"vpc", "vpc"},
	{"vmdk", "vmdk"},   {"vdi", "vdi"},   {"qed", "qed"},
};

static const struct {
	const char *scheme;
	enum source_kind kind;
	bool local;
} schemes[] = {
	{"nbd://", SOURCE_NBD, false},
	{"nbd+unix://", SOURCE_NBD, true},
	{"nbds://", SOURCE_NBDS, false},
	{"nbds+unix://", SOURCE_NBDS, true},
};

struct text {
	const char *at, *end;
};

static const char *after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

/* Percent-encoding undone; a part that is too long or holds a NUL is none. */
static int part_take(struct text text, char *part, size_t size)
{
	size_t length = 0;

	for (const char *at = text.at; at < text.end; at++) {
		char byte = *at;

		if (byte == '%') {
			char digits[3];

			if (text.end - at < 3 || !isxdigit((unsigned char)at[1]) ||
			    !isxdigit((unsigned char)at[2]))
				return -EINVAL;
			memcpy(digits, at + 1, 2);
			digits[2] = '\0';
			byte = (char)strtol(digits, NULL, 16);
			at += 2;
		}
		if (!byte || length + 1 >= size)
			return -EINVAL;
		part[length++] = byte;
	}
	part[length] = '\0';
	return 0;
}

static struct text cut(const char *at, const char *end, char byte)
{
	const char *found = memchr(at, byte, (size_t)(end - at));

	return (struct text){at, found ? found : end};
}

static int query_take(struct text query, struct source *source, const char **wrong)
{
	int rc = 0;

	while (!rc && query.at < query.end) {
		struct text word = cut(query.at, query.end, '&');
		struct text key = cut(word.at, word.end, '=');
		struct text value = {key.end < word.end ? key.end + 1 : key.end, word.end};
		const struct {
			const char *key;
			char *part;
			size_t size;
		} keys[] = {
			{"socket", source->socket, sizeof(source->socket)},
			{"tls-certificates", source->certificates, sizeof(source->certificates)},
			{"tls-psk-file", source->psk, sizeof(source->psk)},
		};
		size_t n = 0, count = sizeof(keys) / sizeof(keys[0]);

		while (n < count && (strlen(keys[n].key) != (size_t)(key.end - key.at) ||
				     memcmp(keys[n].key, key.at, strlen(keys[n].key)) != 0))
			n++;
		*wrong = n < count ? keys[n].key : "a word behind the ? that is not known";
		rc = n < count ? part_take(value, keys[n].part, keys[n].size) : -EINVAL;
		query.at = word.end + (word.end < query.end);
	}
	return rc;
}

static int host_take(struct text authority, struct source *source)
{
	struct text host, port = {authority.end, authority.end};
	uint16_t number;
	int rc;

	if (authority.at < authority.end && *authority.at == '[') { /* an IPv6 address */
		host = cut(authority.at + 1, authority.end, ']');
		if (host.end == authority.end)
			return -EINVAL;
		port.at = host.end + 1;
		if (port.at < port.end && *port.at != ':')
			return -EINVAL;
	} else {
		host = cut(authority.at, authority.end, ':');
		port.at = host.end;
	}
	if (port.at < port.end)
		port.at++;
	if (host.at == host.end)
		return -EINVAL;
	rc = part_take(host, source->host, sizeof(source->host));
	if (!rc)
		rc = part_take(port, source->port, sizeof(source->port));
	if (!rc && !*source->port)
		snprintf(source->port, sizeof(source->port), "10809");
	return rc ? rc : number_parse_u16(source->port, &number);
}

static int uri_parse(const char *rest, bool local, struct source *source, const char **wrong)
{
	const char *end = rest + strlen(rest);
	struct text before = cut(rest, end, '?');
	struct text authority = cut(before.at, before.end, '/');
	struct text export = {authority.end + (authority.end < before.end), before.end};
	struct text query = {before.end + (before.end < end), end};
	int rc;

	*wrong = local ? "a host" : "the host or port";
	if (local ? authority.at != authority.end : host_take(authority, source))
		return -EINVAL;
	*wrong = "the export's name";
	rc = part_take(export, source->export, sizeof(source->export));
	if (!rc)
		rc = query_take(query, source, wrong);
	if (rc)
		return rc;
	*wrong = "socket";
	if (local ? source->socket[0] != '/' : source->socket[0] != '\0')
		return -EINVAL;
	*wrong = "tls-certificates or tls-psk-file";
	if (source->kind == SOURCE_NBD && (*source->certificates || *source->psk))
		return -EINVAL;
	return *source->certificates && *source->psk ? -EINVAL : 0;
}

static int path_take(const char *path, struct source *source, const char *params, char *why,
		     size_t size)
{
	if (strlen(path) < sizeof(source->path)) {
		memcpy(source->path, path, strlen(path));
		return 0;
	}
	snprintf(why, size, "%.32s... is longer than %zu bytes", params, sizeof(source->path) - 1);
	return -EINVAL;
}

int source_parse(const char *params, struct source *source, char *why, size_t size)
{
	const char *rest, *wrong;

	memset(source, 0, sizeof(*source));
	source->kind = after(params, "null:") ? SOURCE_NULL : SOURCE_RAW;
	for (size_t n = 0; n < sizeof(schemes) / sizeof(schemes[0]); n++) {
		rest = after(params, schemes[n].scheme);
		if (!rest)
			continue;
		source->kind = schemes[n].kind;
		if (!uri_parse(rest, schemes[n].local, source, &wrong))
			return 0;
		snprintf(why, size,
			 "%.64s: %s is wrong or missing; write nbd://HOST:PORT/EXPORT or "
			 "nbd+unix:///EXPORT?socket=PATH",
			 params, wrong);
		return -EINVAL;
	}
	if (after(params, "rbd:"))
		source->kind = SOURCE_RBD;
	for (size_t n = 0; n < sizeof(formats) / sizeof(formats[0]); n++) {
		rest = after(params, formats[n].word);
		if (!rest || rest[0] != ':')
			continue;
		if (rest[1] != '/') {
			snprintf(why, size, "%.64s is not %s: and an absolute path", params,
				 formats[n].word);
			return -EINVAL;
		}
		source->kind = SOURCE_IMAGE;
		source->format = formats[n].driver;
		return path_take(rest + 1, source, params, why, size);
	}
	return path_take(params, source, params, why, size);
}

/* The next word of an rbd: address, up to one of @ends. Return: where that is. */
static const char *rbd_word(const char *at, const char *ends, char word[SOURCE_PART_SIZE])
{
	size_t length = 0;

	for (; *at && !strchr(ends, *at); at++) {
		if (*at == '\\' && at[1])
			at++;
		if (length + 1 < SOURCE_PART_SIZE)
			word[length++] = *at;
	}
	word[length] = '\0';
	return at;
}

bool source_rbd_option(const struct source *source, const char *name, char value[SOURCE_PART_SIZE])
{
	char key[SOURCE_PART_SIZE], word[SOURCE_PART_SIZE];
	const char *at = rbd_word(source->path + strlen("rbd:"), ":", word);

	value[0] = '\0';
	while (*at) {
		at = rbd_word(at + 1, "=:", key);
		if (*at != '=')
			continue;
		at = rbd_word(at + 1, ":", word);
		if (!strcmp(key, name))
			memcpy(value, word, strlen(word) + 1);
	}
	return *value;
}

bool source_remote(const struct source *source)
{
	return source->kind == SOURCE_NBD || source_qemu(source);
}

bool source_qemu(const struct source *source)
{
	return source->kind == SOURCE_IMAGE || source_network(source);
}

bool source_network(const struct source *source)
{
	return source->kind == SOURCE_NBDS || source->kind == SOURCE_RBD;
}
