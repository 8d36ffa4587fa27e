#include "backend/supervisor/query.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "lib/json.h"
#include "lib/listen.h"
#include "lib/log.h"

#define NAME "backend.sock"

#define CLIENTS_MAX  16
#define LINE_MAX_LEN 4096u

/* Seconds that a client may be silent, and that a worker may take for a dump. */
#define IDLE_SECONDS 60
#define DUMP_SECONDS 5

struct client {
	struct query *query;
	struct bufferevent *stream;
	struct dumping *dumping; /* what it waits for, or NULL */
	struct event *deadline;
	bool ended; /* it sends no more, but may still read */
	TAILQ_ENTRY(client) entry;
};

/** A dump that was asked for; freed when it comes, whether somebody still waits or not. */
struct dumping {
	struct client *client; /* or NULL */
};

struct query {
	struct registry *registry;
	struct evconnlistener *listener;
	unsigned count;
	TAILQ_HEAD(clients, client) clients; /* the oldest first */
};

static void client_free(struct client *client)
{
	if (client->dumping)
		client->dumping->client = NULL;
	TAILQ_REMOVE(&client->query->clients, client, entry);
	client->query->count--;
	if (client->deadline)
		event_free(client->deadline);
	bufferevent_free(client->stream);
	free(client);
}

/* ---- answers ---- */

static void send_line(struct client *client, const void *text, size_t size)
{
	struct evbuffer *output = bufferevent_get_output(client->stream);

	evbuffer_add(output, text, size);
	evbuffer_add(output, "\n", 1);
}

static void send_json(struct client *client, yajl_gen json)
{
	const unsigned char *text;
	size_t size;

	if (yajl_gen_get_buf(json, &text, &size) == yajl_gen_status_ok)
		send_line(client, text, size);
}

static void send_error(struct client *client, const char *words)
{
	yajl_gen json = yajl_gen_alloc(NULL);

	if (!json)
		return;
	yajl_gen_map_open(json);
	json_string(json, "error", words);
	yajl_gen_map_close(json);
	send_json(client, json);
	yajl_gen_free(json);
}

/* ---- requests ---- */

struct question {
	const char *request;
	long long domid, devid; /* -1: not said */
};

static long long number_of(yajl_val root, const char *key)
{
	const char *path[] = {key, NULL};
	yajl_val value = yajl_tree_get(root, path, yajl_t_number);

	return value && YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : -1;
}

static bool is_meant(const struct device *dev, const struct question *question)
{
	return !dev->released && dev->class->tell &&
	       (question->domid < 0 || question->domid == dev->domid) &&
	       (question->devid < 0 || question->devid == dev->devid);
}

static void device_tell(yajl_gen json, struct device *dev)
{
	yajl_gen_map_open(json);
	json_string(json, "class", dev->class->name);
	json_number(json, "domid", dev->domid);
	json_number(json, "devid", dev->devid);
	json_bool(json, "connected", device_running(dev));
	dev->class->tell(dev, json);
	yajl_gen_map_close(json);
}

static void on_stats(struct client *client, const struct question *question)
{
	yajl_gen json = yajl_gen_alloc(NULL);

	if (!json)
		return;
	yajl_gen_map_open(json);
	json_key(json, "devices");
	yajl_gen_array_open(json);
	for (struct device *dev = client->query->registry->devices; dev; dev = dev->next)
		if (is_meant(dev, question))
			device_tell(json, dev);
	yajl_gen_array_close(json);
	yajl_gen_map_close(json);
	send_json(client, json);
	yajl_gen_free(json);
}

static void line_next(struct client *client);

static void on_dumped(void *arg, const char *text)
{
	struct dumping *dumping = arg;
	struct client *client = dumping->client;

	free(dumping);
	if (!client)
		return;
	client->dumping = NULL;
	event_del(client->deadline);
	send_line(client, text, strlen(text));
	line_next(client);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;

	if (!client->dumping)
		return;
	client->dumping->client = NULL;
	client->dumping = NULL;
	send_error(client, "its worker does not answer; is its process stopped or stuck?");
	line_next(client);
}

static void on_dump(struct client *client, const struct question *question)
{
	static const struct timeval patience = {.tv_sec = DUMP_SECONDS};
	struct device *dev = client->query->registry->devices;
	struct dumping *dumping;
	int rc;

	while (dev && !(is_meant(dev, question) && dev->class->dump && question->domid >= 0 &&
			question->devid >= 0))
		dev = dev->next;
	if (!dev) {
		send_error(client, "no such device here");
		return;
	}
	dumping = calloc(1, sizeof(*dumping));
	if (!dumping)
		return;
	dumping->client = client;
	client->dumping = dumping;
	event_add(client->deadline, &patience);
	rc = dev->class->dump(dev, on_dumped, dumping);
	if (!rc)
		return;
	client->dumping = NULL;
	event_del(client->deadline);
	free(dumping);
	send_error(client, rc == -ENOTCONN ? "it is not connected"
			   : rc == -EBUSY  ? "another dump of it is under way; try again"
					   : strerror(-rc));
}

static void line_answer(struct client *client, const char *line)
{
	const char *path[] = {"request", NULL};
	char why[128];
	yajl_val root = yajl_tree_parse(line, why, sizeof(why)), value;
	const char *text;
	struct question question;

	if (!root) {
		send_error(client, "a request is a JSON object on a line");
		return;
	}
	value = yajl_tree_get(root, path, yajl_t_string);
	text = value ? YAJL_GET_STRING(value) : NULL;
	question.request = text ? text : "";
	question.domid = number_of(root, "domid");
	question.devid = number_of(root, "devid");
	if (!strcmp(question.request, "stats"))
		on_stats(client, &question);
	else if (!strcmp(question.request, "dump"))
		on_dump(client, &question);
	else
		send_error(client, "request is neither stats nor dump");
	yajl_tree_free(root);
}

/*
 * One at a time, and the next when the answer before has gone: who does not read is not served.
 * May end the client.
 */
static void line_next(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);

	while (!client->dumping && !evbuffer_get_length(bufferevent_get_output(client->stream))) {
		char *line = evbuffer_readln(input, NULL, EVBUFFER_EOL_LF);

		if (!line)
			break;
		line_answer(client, line);
		free(line);
	}
	/* A line longer than there is room for never ends. */
	if (evbuffer_get_length(input) >= LINE_MAX_LEN && !client->dumping)
		client->ended = true;
	if (client->ended && !client->dumping &&
	    !evbuffer_get_length(bufferevent_get_output(client->stream)))
		client_free(client);
}

/* ---- clients ---- */

static void on_event(struct bufferevent *stream, short what, void *arg)
{
	struct client *client = arg;

	if (!(what & BEV_EVENT_EOF)) {
		client_free(client);
		return;
	}
	client->ended = true;
	line_next(client);
}

static void on_ready(struct bufferevent *stream, void *arg)
{
	line_next(arg);
}

static void on_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int length, void *arg)
{
	static const struct timeval idle = {.tv_sec = IDLE_SECONDS};
	struct query *query = arg;
	struct event_base *base = evconnlistener_get_base(listener);
	struct client *client = calloc(1, sizeof(*client));

	if (query->count == CLIENTS_MAX)
		client_free(TAILQ_FIRST(&query->clients));
	if (client)
		client->stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client || !client->stream) {
		evutil_closesocket(fd);
		free(client);
		return;
	}
	client->query = query;
	client->deadline = evtimer_new(base, on_deadline, client);
	TAILQ_INSERT_TAIL(&query->clients, client, entry);
	query->count++;
	bufferevent_setcb(client->stream, on_ready, on_ready, on_event, client);
	bufferevent_setwatermark(client->stream, EV_READ, 0, LINE_MAX_LEN);
	bufferevent_set_timeouts(client->stream, &idle, &idle);
	if (!client->deadline || bufferevent_enable(client->stream, EV_READ | EV_WRITE))
		client_free(client);
}

int query_open(struct query **result, struct event_base *base, struct registry *registry)
{
	struct query *query = calloc(1, sizeof(*query));
	int rc;

	if (!query)
		return -ENOMEM;
	query->registry = registry;
	TAILQ_INIT(&query->clients);
	rc = listen_at(&query->listener, base, NAME, on_client, query);
	if (rc)
		free(query);
	else
		*result = query;
	return rc;
}

void query_close(struct query *query)
{
	struct client *client, *next;

	if (!query)
		return;
	for (client = TAILQ_FIRST(&query->clients); client; client = next) {
		next = TAILQ_NEXT(client, entry);
		client_free(client);
	}
	evconnlistener_free(query->listener);
	listen_remove(NAME);
	free(query);
}
