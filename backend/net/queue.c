/* One queue of a vif: see queue.h. */
#include "backend/net/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "backend/net/receiver.h"
#include "backend/net/sender.h"
#include "lib/clock.h"
#include "lib/log.h"

/* How often to look for RX requests of a guest that does not kick when it posts them. */
static const struct timeval POLL_PERIOD = {.tv_usec = 10000};

/* After so long without requests the packet that waits is given up, and the log told. */
#define STALL_MS 60000

struct net_queue {
	struct worker_device *dev;
	struct net_queue_config config;
	struct netif_tx_sring *tx_page;
	struct netif_rx_sring *rx_page;
	bool tx_bound, rx_bound;
	evtchn_port_t tx_port, rx_port; /* ours */
	bool tx_stopped, rx_stopped;
	struct event *tx_again; /* a pass was not enough, or has used the rate up */
	struct event *tap_ready;
	struct event *rx_wait; /* the RX ring is full: look again, or call it a stall */
	bool rx_full;
	uint64_t full_since_ms; /* or since a packet last went through */
	bool stalled;           /* and the log knows */
	struct net_sender sender;
	struct net_receiver receiver;
};

static void ring_stop(struct net_queue *queue, const char *ring, int rc)
{
	if (rc == -ENODEV)
		worker_error(
			queue->dev, rc,
			"queue %u: the network interface is gone; detach and attach the vif again",
			queue->config.index);
	else
		worker_error(
			queue->dev, rc,
			"queue %u: %s ring stopped: a request lies outside of what was posted; the "
			"guest must reconnect",
			queue->config.index, ring);
}

static void tx_stop(struct net_queue *queue, int rc)
{
	queue->tx_stopped = true;
	event_del(queue->tx_again);
	ring_stop(queue, "TX", rc);
}

static void rx_stop(struct net_queue *queue, int rc)
{
	queue->rx_stopped = true;
	event_del(queue->tap_ready);
	event_del(queue->rx_wait);
	ring_stop(queue, "RX", rc);
}

static struct timeval timeval_of(uint64_t ns)
{
	uint64_t us = (ns + 999) / 1000;

	return (struct timeval){(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};
}

static void tx_run(struct net_queue *queue)
{
	struct timeval after;
	enum net_pass pass;
	bool notify;
	int rc;

	if (queue->tx_stopped)
		return;
	rc = net_sender_pass(&queue->sender, &pass, &notify);
	after = timeval_of(queue->sender.wait_ns);
	if (queue->sender.fault != NET_TX_FINE && log_allowed(&queue->dev->limit, clock_ms()))
		log_warn("%s: queue %u: packet from the guest dropped: %s", queue->dev->name,
			 queue->config.index, net_tx_fault_text(queue->sender.fault));
	if (notify)
		events_notify(queue->dev->worker->events, queue->tx_port);
	if (rc)
		tx_stop(queue, rc);
	else if (pass == NET_PASS_MORE)
		event_add(queue->tx_again, &after);
}

/* Leave the TAP alone until the guest has posted requests. */
static void rx_full(struct net_queue *queue)
{
	static const struct timeval stall = {.tv_sec = STALL_MS / 1000};

	if (!queue->rx_full) {
		queue->rx_full = true;
		queue->full_since_ms = clock_ms();
		event_del(queue->tap_ready);
	}
	event_add(queue->rx_wait, queue->config.rx_notify ? &stall : &POLL_PERIOD);
}

static void rx_flows(struct net_queue *queue)
{
	if (!queue->rx_full)
		return;
	queue->rx_full = false;
	event_del(queue->rx_wait);
	event_add(queue->tap_ready, NULL);
}

static void rx_run(struct net_queue *queue)
{
	enum net_pass pass;
	bool notify;
	int rc;

	if (queue->rx_stopped)
		return;
	rc = net_receiver_pass(&queue->receiver, &pass, &notify);
	if (notify)
		events_notify(queue->dev->worker->events, queue->rx_port);
	if (queue->receiver.packets > 0) {
		queue->full_since_ms = clock_ms();
		queue->stalled = false;
	}
	if (rc)
		rx_stop(queue, rc);
	else if (pass == NET_PASS_FULL)
		rx_full(queue);
	else
		rx_flows(queue);
	/* The TAP, perhaps empty by now, does not tell of the packet that waits with us. */
	if (!rc && pass == NET_PASS_MORE && queue->receiver.held)
		event_active(queue->tap_ready, EV_READ, 0);
}

/* The ring is full: poll it, and after a minute give up the packet that waits. */
static void rx_waited(evutil_socket_t fd, short what, void *arg)
{
	struct net_queue *queue = arg;

	if (!queue->stalled && clock_ms() - queue->full_since_ms >= STALL_MS) {
		queue->stalled = true;
		net_receiver_forget(&queue->receiver);
		if (log_allowed(&queue->dev->limit, clock_ms()))
			log_warn(
				"%s: queue %u: the guest has posted no RX requests for a minute; packets to it "
				"are dropped until it does",
				queue->dev->name, queue->config.index);
	}
	rx_run(queue);
}

static void tap_readable(evutil_socket_t fd, short what, void *arg)
{
	rx_run(arg);
}

static void tx_rerun(evutil_socket_t fd, short what, void *arg)
{
	tx_run(arg);
}

static void tx_kicked(void *arg)
{
	tx_run(arg);
}

/* A kick for RX means something only when we asked for it. */
static void rx_kicked(void *arg)
{
	struct net_queue *queue = arg;

	if (queue->rx_full)
		rx_run(queue);
}

static void both_kicked(void *arg)
{
	tx_kicked(arg);
	rx_kicked(arg);
}

static int rings_map(struct net_queue *queue)
{
	struct worker_device *dev = queue->dev;
	struct worker *worker = dev->worker;
	const struct net_queue_config *config = &queue->config;
	const int access = PROT_READ | PROT_WRITE;
	int rc;

	queue->tx_page =
		xengnttab_map_grant_ref(worker->gnttab, worker->domid, config->tx_ref, access);
	if (!queue->tx_page)
		return worker_fail(dev, -errno, "queue %u: tx-ring-ref %u cannot be mapped: %s",
				   config->index, config->tx_ref, strerror(errno));
	queue->rx_page =
		xengnttab_map_grant_ref(worker->gnttab, worker->domid, config->rx_ref, access);
	if (!queue->rx_page)
		return worker_fail(dev, -errno, "queue %u: rx-ring-ref %u cannot be mapped: %s",
				   config->index, config->rx_ref, strerror(errno));
	rc = net_sender_init(&queue->sender, queue->tx_page, worker->gnttab, worker->domid,
			     config->tap, config->log, config->rate);
	if (rc)
		return worker_fail(dev, rc, "queue %u: the TX ring's indices are impossible",
				   config->index);
	rc = net_receiver_init(&queue->receiver, queue->rx_page, worker->gnttab, worker->domid,
			       config->tap, &config->features, config->log);
	if (rc)
		return worker_fail(dev, rc, "queue %u: the RX ring's indices are impossible",
				   config->index);
	return 0;
}

static int port_bind(struct net_queue *queue, uint32_t remote, events_handler handler,
		     evtchn_port_t *local)
{
	struct worker *worker = queue->dev->worker;
	int rc = events_bind(worker->events, worker->domid, remote, handler, queue, local);

	if (rc)
		return worker_fail(queue->dev, rc, "queue %u: event channel %u cannot be bound: %s",
				   queue->config.index, remote, strerror(-rc));
	return 0;
}

static int ports_bind(struct net_queue *queue)
{
	const struct net_queue_config *config = &queue->config;
	bool shared = config->tx_port == config->rx_port;
	int rc;

	rc = port_bind(queue, config->tx_port, shared ? both_kicked : tx_kicked, &queue->tx_port);
	if (rc)
		return rc;
	queue->tx_bound = true;
	queue->rx_port = queue->tx_port;
	if (shared)
		return 0;
	rc = port_bind(queue, config->rx_port, rx_kicked, &queue->rx_port);
	queue->rx_bound = rc == 0;
	return rc;
}

static int events_make(struct net_queue *queue)
{
	struct event_base *base = queue->dev->worker->base;

	queue->tx_again = evtimer_new(base, tx_rerun, queue);
	queue->rx_wait = evtimer_new(base, rx_waited, queue);
	queue->tap_ready =
		event_new(base, queue->config.tap, EV_READ | EV_PERSIST, tap_readable, queue);
	if (!queue->tx_again || !queue->rx_wait || !queue->tap_ready ||
	    event_add(queue->tap_ready, NULL) != 0)
		return worker_fail(queue->dev, -ENOMEM, "queue %u: no memory for its events",
				   queue->config.index);
	return 0;
}

int net_queue_open(struct net_queue **out, struct worker_device *dev,
		   const struct net_queue_config *config)
{
	struct net_queue *queue = calloc(1, sizeof(*queue));
	bool resumed;
	int rc;

	if (!queue)
		return worker_fail(dev, -ENOMEM, "queue %u: no memory", config->index);
	queue->dev = dev;
	queue->config = *config;
	resumed = config->log->tx.begun;
	rc = rings_map(queue);
	if (rc)
		goto out;
	rc = events_make(queue);
	if (rc)
		goto out;
	rc = ports_bind(queue);
	if (rc)
		goto out;
	if (resumed) {
		events_notify(dev->worker->events, queue->tx_port);
		events_notify(dev->worker->events, queue->rx_port);
	}
	*out = queue;
	queue = NULL;
out:
	net_queue_close(queue);
	return rc;
}

void net_queue_close(struct net_queue *queue)
{
	struct worker *worker;

	if (!queue)
		return;
	worker = queue->dev->worker;
	if (queue->rx_bound)
		events_unbind(worker->events, queue->rx_port);
	if (queue->tx_bound)
		events_unbind(worker->events, queue->tx_port);
	if (queue->tap_ready)
		event_free(queue->tap_ready);
	if (queue->rx_wait)
		event_free(queue->rx_wait);
	if (queue->tx_again)
		event_free(queue->tx_again);
	if (queue->rx_page)
		xengnttab_unmap(worker->gnttab, queue->rx_page, 1);
	if (queue->tx_page)
		xengnttab_unmap(worker->gnttab, queue->tx_page, 1);
	free(queue);
}
