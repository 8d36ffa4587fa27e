#include "backend/supervisor/metrics.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>

#include "backend/classes.h"
#include "lib/listen.h"

#define NAME "metrics.sock"

#define HEADERS_MAX  8192
#define IDLE_SECONDS 60

struct metrics {
	struct registry *registry;
	struct evhttp *http;
};

static void on_metrics(struct evhttp_request *request, void *arg)
{
	struct metrics *metrics = arg;
	struct evbuffer *body = evbuffer_new();

	if (!body) {
		evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	for (int kind = 0; kind < WORKER_KINDS; kind++)
		if (device_classes[kind]->metrics)
			device_classes[kind]->metrics(metrics->registry->devices, body);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
			  "text/plain; version=0.0.4; charset=utf-8");
	evhttp_send_reply(request, HTTP_OK, "OK", body);
	evbuffer_free(body);
}

int metrics_open(struct metrics **result, struct event_base *base, struct registry *registry)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	struct evconnlistener *listener;
	int rc = -ENOMEM;

	if (!metrics)
		return rc;
	metrics->registry = registry;
	metrics->http = evhttp_new(base);
	if (!metrics->http)
		goto fail;
	evhttp_set_allowed_methods(metrics->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(metrics->http, HEADERS_MAX);
	evhttp_set_max_body_size(metrics->http, 0);
	evhttp_set_timeout(metrics->http, IDLE_SECONDS);
	if (evhttp_set_cb(metrics->http, "/metrics", on_metrics, metrics))
		goto fail;
	rc = listen_at(&listener, base, NAME, NULL, NULL);
	if (rc)
		goto fail;
	if (!evhttp_bind_listener(metrics->http, listener)) {
		evconnlistener_free(listener);
		rc = -ENOMEM;
		goto fail;
	}
	*result = metrics;
	return 0;

fail:
	if (metrics->http)
		evhttp_free(metrics->http);
	free(metrics);
	return rc;
}

void metrics_close(struct metrics *metrics)
{
	if (!metrics)
		return;
	evhttp_free(metrics->http);
	listen_remove(NAME);
	free(metrics);
}
