#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#include "toolstack/command/command.h"
#include "toolstack/device/backend.h"

#define SOCKET_NAME "events.sock"

/* How soon an xsplitd that went away is looked for again. */
#define AGAIN_US 500000

static yajl_val member(yajl_val object, const char *key, yajl_type type)
{
	const char *path[] = {key, NULL};

	return yajl_tree_get(object, path, type);
}

static void text_print(yajl_val event, const char *key, const char *format)
{
	yajl_val value = member(event, key, yajl_t_string);

	if (value)
		printf(format, YAJL_GET_STRING(value));
}

static void row_print(const char *line)
{
	char error[128], clock[16];
	yajl_val event = yajl_tree_parse(line, error, sizeof(error));
	yajl_val when = event ? member(event, "time_ms", yajl_t_number) : NULL;
	yajl_val domid = event ? member(event, "domid", yajl_t_number) : NULL;
	struct tm local;
	time_t seconds;

	if (when) {
		seconds = (time_t)(YAJL_GET_INTEGER(when) / 1000);
		strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &local));
		printf("%s.%03d ", clock, (int)(YAJL_GET_INTEGER(when) % 1000));
		text_print(event, "event", "%-12s");
		if (domid)
			printf(" %4lld", YAJL_GET_INTEGER(domid));
		text_print(event, "name", " %s");
		text_print(event, "reason", " (%s)");
		text_print(event, "what", " %s");
		putchar('\n');
	}
	yajl_tree_free(event);
}

/* Until xsplitd goes away. */
static void follow(int fd, bool json)
{
	FILE *from = fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;

	if (!from) {
		close(fd);
		return;
	}
	while (getline(&line, &room, from) > 0) {
		if (json)
			fputs(line, stdout);
		else
			row_print(line);
		fflush(stdout);
	}
	free(line);
	fclose(from);
}

int command_events(const struct command *self, int argc, char **argv)
{
	struct fault fault = {0};
	struct given given;
	int fd, status = command_options(self, argc, argv, NULL, &given);
	bool json;

	if (status >= 0)
		return status;
	if (optind < argc)
		return command_usage(self, "too many words");
	json = given_has(&given, 'j');
	if (daemon_connect("xsplitd", SOCKET_NAME, &fd, &fault))
		return command_failed(&fault, json);
	while (!ferror(stdout)) {
		follow(fd, json);
		fputs("xsplit: xsplitd went away; waiting for it\n", stderr);
		while (daemon_connect("xsplitd", SOCKET_NAME, &fd, &fault))
			usleep(AGAIN_US);
	}
	return EXIT_FAILED;
}
