/*
 * store_differential REFERENCE OURS SEED STEPS - the same random requests to two daemons, each by
 * its $STORE_STUB directory; every reply, every event and at the end the whole tree must be equal.
 *
 * Two sockets and two guests ask. Only one transaction is open at a time, and nobody else writes
 * meanwhile: which transactions conflict is the one thing in which daemons may differ.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/embedded/store_client.h"

#define CLIENTS      4 /* 0 and 1 are sockets, 2 and 3 are domains 1 and 2 */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct pair {
	struct daemon daemon[2];
	struct client client[2][CLIENTS];
	int holder; /* who has a transaction open, or -1 */
	uint32_t transaction[2];
};

static const char *const paths[] = {
	"/a",
	"/a/b",
	"/a/b/c",
	"/a/d",
	"/a/d/e/f",
	"/p",
	"/p/q",
	"/p/q/r",
	"x",
	"x/y",
	"x/y/z",
	"/local/domain/1",
	"/",
	"/a/",
	"/a//b",
	"",
	"/a.b",
	"/local/domain/1/x",
	"/w",
	"/w/x",
	"/local/domain",
	"/tool",
	"@unknown",
	"@releaseDomain",
	"/a/b/@c",
	"/p/q/r/s",
	"/local/domain/2/x/y",
	"/local/domain/",
	"@introduceDomain",
};
static const char *const perms[] = {"n0|",    "r0|",    "b0|",    "w0|",    "n1|",
				    "r2|n1|", "n0|r1|", "n0|b1|", "b2|r1|", "n0|r7|",
				    "n7|",    "r0|x1|", "r|",     "",       "n1|r0|w1|"};
static const char *const tokens[] = {"t|", "u|", "|", "", "t"};

static const char *pick(const char *const *list, size_t count)
{
	return list[(size_t)random() % count];
}

#define PICK(list) pick(list, COUNT(list))

/* Returns the type; @text is the body with '|' for NUL. */
static uint32_t random_request(char *text, size_t size)
{
	static const uint32_t types[] = {XS_READ,
					 XS_READ,
					 XS_DIRECTORY,
					 XS_DIRECTORY,
					 XS_GET_PERMS,
					 XS_WRITE,
					 XS_WRITE,
					 XS_WRITE,
					 XS_MKDIR,
					 XS_RM,
					 XS_SET_PERMS,
					 XS_SET_PERMS,
					 XS_WATCH,
					 XS_UNWATCH,
					 XS_RESET_WATCHES,
					 XS_DIRECTORY_PART,
					 20,
					 23,
					 XS_IS_DOMAIN_INTRODUCED,
					 XS_GET_DOMAIN_PATH,
					 XS_RESUME,
					 XS_ERROR};
	uint32_t type = types[(size_t)random() % COUNT(types)];
	const char *path = PICK(paths);

	if (type == XS_RESET_WATCHES && random() % 8)
		type = XS_WATCH;
	switch (type) {
	case XS_WRITE:
		snprintf(text, size, "%s|%ld", path, random() % 100);
		break;
	case XS_SET_PERMS:
		snprintf(text, size, "%s|%s", path, PICK(perms));
		break;
	case XS_WATCH:
	case XS_UNWATCH:
		snprintf(text, size, "%s|%s", path, PICK(tokens));
		break;
	case XS_DIRECTORY_PART:
		snprintf(text, size, "%s|0|", path);
		break;
	case XS_IS_DOMAIN_INTRODUCED:
	case XS_GET_DOMAIN_PATH:
	case XS_RESUME:
		snprintf(text, size, "%ld|", random() % 4);
		break;
	default:
		snprintf(text, size, "%s|", path);
	}
	return type;
}

static bool changes(uint32_t type)
{
	return type == XS_WRITE || type == XS_MKDIR || type == XS_RM || type == XS_SET_PERMS;
}

/* The generation in front of a part of a directory is each daemon's own. */
static const char *comparable(const struct reply *reply)
{
	const char *bar = strchr(reply->body, '|');

	return reply->type == XS_DIRECTORY_PART && bar ? bar : reply->body;
}

/*
 * Of a malformed request C says whatever errno was left over; if that is 0 it says nothing and
 * aborts at the next (XSA-481). So guests send none, and from sockets it is enough that both
 * refuse.
 */
static bool malformed(uint32_t type, const char *text)
{
	const char *bar = strchr(text, '|');
	size_t length = bar ? (size_t)(bar - text) : 0;
	bool watches = type == XS_WATCH || type == XS_UNWATCH;

	if (!bar || !length || (text[0] == '@' && !watches))
		return true;
	if (type != XS_WRITE && text[strlen(text) - 1] != '|')
		return true;
	if (length > 1 && text[length - 1] == '/')
		return true;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '.' || (text[i] == '/' && text[i + 1] == '/'))
			return true;
	return false;
}

static void compare(struct pair *pair, int who, uint32_t type, const char *text,
		    const struct reply reply[2])
{
	const char *one = comparable(&reply[0]), *two = comparable(&reply[1]);

	if (reply[0].type == XS_ERROR && reply[1].type == XS_ERROR && malformed(type, text))
		return;
	if (reply[0].type != reply[1].type || strcmp(one, two) != 0)
		errx(1, "client %d, type %u, \"%s\"%s: %s answers %u \"%s\", %s answers %u \"%s\"",
		     who, type, text, pair->holder == who ? " in a transaction" : "",
		     pair->daemon[0].name, reply[0].type, one, pair->daemon[1].name, reply[1].type,
		     two);
}

static void ask(struct pair *pair, int who, uint32_t type, const char *text, bool same)
{
	struct reply reply[2];
	char body[512];
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i++)
		body[i] = text[i] == '|' ? '\0' : text[i];
	for (int d = 0; d < 2; d++)
		client_ask(&pair->client[d][who], type,
			   pair->holder == who ? pair->transaction[d] : 0, body, size, &reply[d]);
	if (same)
		compare(pair, who, type, text, reply);
	else
		for (int d = 0; d < 2; d++)
			pair->transaction[d] = strtoul(reply[d].body, NULL, 10);
}

/* Are all words of @some among those of @all? */
static bool includes(const char *all, const char *some)
{
	char word[300];
	int length;

	for (; *some; some += length) {
		length = (int)strcspn(some, " ") + 1;
		snprintf(word, sizeof(word), "%.*s", length, some);
		if (!strstr(all, word))
			return false;
	}
	return true;
}

/*
 * Whatever each client has been told by now must be the same. When a transaction removes a node
 * that a guest cannot read below one that it can, only ours tells; outside transactions C does,
 * too.
 */
static void compare_events(struct pair *pair, uint32_t type, const char *text)
{
	for (int who = 0; who < CLIENTS; who++) {
		char *one = pair->client[0][who].heard, *two = pair->client[1][who].heard;

		ask(pair, who, XS_GET_DOMAIN_PATH, "1|", true);
		if (type == XS_TRANSACTION_END && who >= 2 ? !includes(two, one)
							   : strcmp(one, two) != 0)
			errx(1, "type %u, \"%s\": client %d of %s hears \"%s\", of %s \"%s\"", type,
			     text, who, pair->daemon[0].name, one, pair->daemon[1].name, two);
		one[0] = two[0] = '\0';
	}
}

static void step(struct pair *pair)
{
	char text[256];
	int who = random() % CLIENTS;
	uint32_t type;

	if (pair->holder < 0 && random() % 12 == 0) {
		ask(pair, who, XS_TRANSACTION_START, "|", false);
		pair->holder = who;
		return;
	}
	if (pair->holder == who && random() % 5 == 0) {
		snprintf(text, sizeof(text), "%s|", random() % 4 ? "T" : "F");
		ask(pair, who, XS_TRANSACTION_END, text, true);
		pair->holder = -1;
		compare_events(pair, XS_TRANSACTION_END, text);
		return;
	}
	type = random_request(text, sizeof(text));
	if (pair->holder >= 0 && pair->holder != who && changes(type))
		return;
	/* It would end the transaction. */
	if (pair->holder == who && type == XS_RESET_WATCHES)
		return;
	if (malformed(type, text) && (who >= 2 || type == XS_SET_PERMS))
		return;
	/* When the owner of "/" dies, C removes everything. */
	if (type == XS_SET_PERMS && !strncmp(text, "/|", 2))
		return;
	ask(pair, who, type, text, true);
	compare_events(pair, type, text);
}

static void setup(struct pair *pair, const char *const directory[2])
{
	static const char *const wishes[] = {"/a|b0|", "/p|n1|", "/w|w0|", "/local/domain/1|n1|",
					     "/local/domain/2|n2|r1|"};
	char text[64];

	for (int d = 0; d < 2; d++) {
		daemon_open(&pair->daemon[d], directory[d]);
		client_socket(&pair->client[d][0], &pair->daemon[d]);
		client_socket(&pair->client[d][1], &pair->daemon[d]);
		client_guest(&pair->client[d][2], &pair->daemon[d], 1);
		client_guest(&pair->client[d][3], &pair->daemon[d], 2);
	}
	pair->holder = -1;
	ask(pair, 0, XS_INTRODUCE, "1|0|7|", true);
	ask(pair, 0, XS_INTRODUCE, "2|0|8|", true);
	for (size_t i = 0; i < COUNT(wishes); i++) {
		snprintf(text, sizeof(text), "%.*s|", (int)strcspn(wishes[i], "|"), wishes[i]);
		ask(pair, 0, XS_MKDIR, text, true);
		ask(pair, 0, XS_SET_PERMS, wishes[i], true);
	}
}

/* Domain 2 dies and comes back, as a new one. */
static void reboot(struct pair *pair)
{
	char *const heard[2] = {pair->client[0][3].heard, pair->client[1][3].heard};

	for (int d = 0; d < 2; d++) {
		pair->daemon[d].domains[2] = 'd';
		daemon_event(&pair->daemon[d], 99);
	}
	/* Until both have seen it. */
	for (int d = 0; d < 2; d++) {
		struct reply reply;

		do
			client_ask(&pair->client[d][0], XS_IS_DOMAIN_INTRODUCED, 0, "2", 2, &reply);
		while (reply.body[0] == 'T');
		pair->daemon[d].domains[2] = '1';
		heard[d][0] = '\0';
	}
	ask(pair, 0, XS_INTRODUCE, "2|0|8|", true);
	compare_events(pair, XS_INTRODUCE, "2|0|8|");
}

static void compare_tree(struct pair *pair)
{
	static const uint32_t types[] = {XS_READ, XS_DIRECTORY, XS_GET_PERMS};
	char text[64];

	for (size_t i = 0; i < COUNT(paths); i++)
		for (size_t t = 0; t < COUNT(types); t++) {
			snprintf(text, sizeof(text), "%s|", paths[i]);
			for (int who = 0; who < (malformed(types[t], text) ? 2 : CLIENTS); who++)
				ask(pair, who, types[t], text, true);
		}
}

int main(int argc, char *argv[])
{
	static struct pair pair;
	int steps;

	if (argc != 5)
		errx(2, "usage: %s REFERENCE OURS SEED STEPS", argv[0]);
	srandom(strtoul(argv[3], NULL, 10));
	steps = (int)strtoul(argv[4], NULL, 10);
	setup(&pair, (const char *const *)argv + 1);
	for (int i = 1; i <= steps; i++) {
		step(&pair);
		if (pair.holder >= 0)
			continue;
		if (i % 100 == 0)
			compare_tree(&pair);
		if (random() % 200 == 0)
			reboot(&pair);
	}
	return 0;
}
