#include "toolstack/xsplitd/feed.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "lib/listen.h"
#include "lib/log.h"

struct subscriber {
	struct feed *feed;
	struct bufferevent *to;
	bool slow; /* to be let go */
	TAILQ_ENTRY(subscriber) link;
};

struct feed {
	struct evconnlistener *listener;
	struct event_base *base;
	void (*greet)(void *arg, struct subscriber *subscriber);
	void *arg;
	unsigned count;
	TAILQ_HEAD(, subscriber) subscribers;
};

static void let_go(struct subscriber *s)
{
	s->feed->count--;
	TAILQ_REMOVE(&s->feed->subscribers, s, link);
	bufferevent_free(s->to);
	free(s);
}

static void on_words(struct bufferevent *from, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(from);

	evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_end(struct bufferevent *from, short what, void *arg)
{
	let_go(arg);
}

static void on_subscriber(struct evconnlistener *listener, evutil_socket_t fd,
			  struct sockaddr *address, int length, void *arg)
{
	struct feed *feed = arg;
	struct subscriber *s = feed->count < FEED_SUBSCRIBERS ? calloc(1, sizeof(*s)) : NULL;

	if (s)
		s->to = bufferevent_socket_new(feed->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!s || !s->to) {
		log_warn("events: no more than %d may listen", FEED_SUBSCRIBERS);
		evutil_closesocket(fd);
		free(s);
		return;
	}
	s->feed = feed;
	feed->count++;
	TAILQ_INSERT_TAIL(&feed->subscribers, s, link);
	bufferevent_setcb(s->to, on_words, NULL, on_end, s);
	bufferevent_setwatermark(s->to, EV_READ, 0, FEED_BACKLOG);
	bufferevent_enable(s->to, EV_READ | EV_WRITE);
	feed->greet(feed->arg, s);
}

int feed_open(struct feed **result, struct event_base *base,
	      void (*greet)(void *arg, struct subscriber *subscriber), void *arg)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	int rc;

	if (!feed)
		return -ENOMEM;
	feed->base = base;
	feed->greet = greet;
	feed->arg = arg;
	TAILQ_INIT(&feed->subscribers);
	rc = listen_at(&feed->listener, base, FEED_SOCKET, on_subscriber, feed);
	if (rc)
		free(feed);
	else
		*result = feed;
	return rc;
}

void feed_close(struct feed *feed)
{
	struct subscriber *s, *next;

	if (!feed)
		return;
	for (s = TAILQ_FIRST(&feed->subscribers); s; s = next) {
		next = TAILQ_NEXT(s, link);
		let_go(s);
	}
	evconnlistener_free(feed->listener);
	listen_remove(FEED_SOCKET);
	free(feed);
}

void feed_tell(struct subscriber *s, const char *line, size_t length)
{
	struct evbuffer *output = bufferevent_get_output(s->to);

	s->slow = s->slow || evbuffer_get_length(output) + length > FEED_BACKLOG;
	if (s->slow)
		return;
	evbuffer_add(output, line, length);
	evbuffer_add(output, "\n", 1);
}

void feed_say(struct feed *feed, const char *line, size_t length)
{
	struct subscriber *s, *next;

	for (s = TAILQ_FIRST(&feed->subscribers); s; s = next) {
		next = TAILQ_NEXT(s, link);
		feed_tell(s, line, length);
		if (s->slow) {
			log_warn("events: who listens does not read; let go");
			let_go(s);
		}
	}
}
