/*
 * timer_linux.c - what bench.c of frontend/kernel measures, as a process of a Linux guest can see
 * it.
 *
 * Prints "bench NAME WHERE NS" lines, each the best of many short rounds. What it adds is Linux's
 * own way to a process: a system call each, and for IPIs the scheduler's membarrier.
 *
 *   timer_linux WHERE [DISK]
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <xen/xen.h>
/* after xen.h */
#include <xen/sys/evtchn.h>

#define ROUNDS 60
#define TIMES  20

static struct {
	int timer, disk, evtchn;
	unsigned port;
	void *page;
	bool stop;
} here;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void report(const char *name, const char *where, bool (*once)(void), unsigned times)
{
	uint64_t best = UINT64_MAX;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t begin = now(), took;

		for (unsigned i = 0; i < times; i++) {
			if (!once()) {
				printf("bench %s %s failed\n", name, where);
				return;
			}
		}
		took = (now() - begin) / times;
		best = took < best ? took : best;
	}
	printf("bench %s %s %" PRIu64 "\n", name, where, best);
}

/* Armed for a nanosecond from now, and looked at until it has expired: no sleep in between. */
static bool timer_once(void)
{
	const struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
	uint64_t expired;

	if (timerfd_settime(here.timer, 0, &soon, NULL))
		return false;
	while (read(here.timer, &expired, sizeof(expired)) != sizeof(expired))
		;
	return true;
}

/* Interrupts every processor that runs a thread of ours. */
static bool ipi_once(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

static bool event_once(void)
{
	struct ioctl_evtchn_notify notify = {here.port};
	uint32_t port;

	if (ioctl(here.evtchn, IOCTL_EVTCHN_NOTIFY, &notify))
		return false;
	if (read(here.evtchn, &port, sizeof(port)) != sizeof(port))
		return false;
	return write(here.evtchn, &port, sizeof(port)) == sizeof(port);
}

static bool clock_once(void)
{
	return now() != 0;
}

static bool disk_once(void)
{
	return pread(here.disk, here.page, 4096, 4 << 20) == 4096;
}

static void *stay_awake(void *arg)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(1, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	/* Where one processor runs at a time, a pause lets the other one go on. */
	while (!__atomic_load_n(&here.stop, __ATOMIC_RELAXED))
		__builtin_ia32_pause();
	return NULL;
}

static void ipi_measure(const char *where)
{
	pthread_t thread;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 ||
	    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) ||
	    pthread_create(&thread, NULL, stay_awake, NULL))
		return;
	usleep(100000);
	report("ipi", where, ipi_once, TIMES);
	__atomic_store_n(&here.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* Both ends are this domain's. */
static bool event_open(void)
{
	struct ioctl_evtchn_bind_unbound_port unbound = {0x7ff0};
	struct ioctl_evtchn_bind_interdomain bind = {.remote_domain = 0x7ff0};
	int port, far;
	uint32_t pending;

	here.evtchn = open("/dev/xen/evtchn", O_RDWR);
	if (here.evtchn < 0)
		return false;
	port = ioctl(here.evtchn, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &unbound);
	if (port < 0)
		return false;
	bind.remote_port = (unsigned)port;
	far = ioctl(here.evtchn, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);
	if (far < 0)
		return false;
	here.port = (unsigned)far;
	fcntl(here.evtchn, F_SETFL, O_NONBLOCK);
	usleep(10000);
	while (read(here.evtchn, &pending, sizeof(pending)) == sizeof(pending)) {
		if (write(here.evtchn, &pending, sizeof(pending)) != sizeof(pending))
			return false;
	}
	return fcntl(here.evtchn, F_SETFL, 0) == 0;
}

int main(int argc, char **argv)
{
	const char *where = argc > 1 ? argv[1] : "linux";
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	here.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	if (here.timer < 0)
		return EXIT_FAILURE;
	report("clock-read", where, clock_once, TIMES * 5);
	report("timer-interrupt", where, timer_once, TIMES);
	ipi_measure(where);
	if (event_open())
		report("event", where, event_once, TIMES);
	if (argc > 2) {
		here.page = aligned_alloc(4096, 4096);
		here.disk = open(argv[2], O_RDONLY | O_DIRECT);
		if (here.disk >= 0 && here.page)
			report("disk-request", where, disk_once, 4);
	}
	return EXIT_SUCCESS;
}
