/* The lines that the two ends of a migration say to each other. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "toolstack/domain/peer.h"
#include "toolstack/io.h"

static struct toolstack ts = {.interrupt = {.fd = -1}};

static const struct {
	const char *what, *said;
	int rc;
	const char *words; /* of the fault */
} talks[] = {
	{"the word", "ready\n", 0, ""},
	{"more behind it", "ready\nbinary", 0, ""},
	{"it gave up", "failed no bridge\n", -EREMOTEIO, "host: no bridge"},
	{"another word", "go\n", -EPROTO, "host: it says \"go\" instead of \"ready\""},
	{"a longer one", "ready!\n", -EPROTO, "host: it says \"ready!\" instead of \"ready\""},
	{"nothing", "", -ECONNRESET, "host: the connection ended"},
	{"half a word", "rea", -ECONNRESET, "host: the connection ended"},
};

START_TEST(expect)
{
	int pair[2];
	struct fault fault = {0};
	struct peer peer = {.name = "host"};

	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	peer.in = peer.out = pair[0];
	ck_assert_int_eq(io_write(pair[1], talks[_i].said, strlen(talks[_i].said)), 0);
	shutdown(pair[1], SHUT_WR);
	ck_assert_msg(peer_expect(&ts, &peer, "ready", &fault) == talks[_i].rc, "%s: %s",
		      talks[_i].what, fault.text);
	ck_assert_str_eq(fault.text, talks[_i].words);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(stream_behind)
{
	int pair[2];
	char stream[7] = "";
	struct fault fault = {0};
	struct peer peer = {.name = "host"};

	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	peer.in = peer.out = pair[0];
	ck_assert_int_eq(io_write(pair[1], "ready\nbinary", 12), 0);
	ck_assert_int_eq(peer_expect(&ts, &peer, "ready", &fault), 0);
	ck_assert_int_eq(io_read(pair[0], stream, 6), 0);
	ck_assert_str_eq(stream, "binary");
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(endless_line)
{
	char line[2 * PEER_LINE];
	int pair[2];
	struct fault fault = {0};
	struct peer peer = {.name = "host"};

	memset(line, 'x', sizeof(line));
	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	peer.in = peer.out = pair[0];
	ck_assert_int_eq(io_write(pair[1], line, sizeof(line)), 0);
	ck_assert_int_eq(peer_expect(&ts, &peer, "ready", &fault), -EPROTO);
	ck_assert_str_eq(fault.text, "host: it does not speak as xsplit does");
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(commands)
{
	static const char *const words[] = {"--query", "a b", NULL};
	char line[PEER_LINE];
	struct fault fault = {0};
	struct peer peer;

	/* HOST is the command; each word stays one. */
	ck_assert_int_eq(peer_start(&peer, "", "printf '<%s>\\n'", words, &fault), 0);
	ck_assert_int_eq(peer_expect(&ts, &peer, "<--query>", &fault), 0);
	ck_assert_int_eq(peer_expect(&ts, &peer, "<a b>", &fault), 0);
	ck_assert_int_eq(peer_hear(&ts, &peer, line, &fault), -ECONNRESET);
	ck_assert_str_eq(fault.text,
			 "printf '<%s>\\n': the connection ended; its command ended with "
			 "exit status 0");
	peer_end(&peer);

	/* It says how it ended. */
	ck_assert_int_eq(peer_start(&peer, "", "sh -c 'kill -9 $$'", words, &fault), 0);
	ck_assert_int_eq(peer_hear(&ts, &peer, line, &fault), -ECONNRESET);
	ck_assert_msg(strstr(fault.text, "; its command was killed by signal 9"), "%s", fault.text);
	peer_end(&peer);

	/* A shell gets the host and what to run there. */
	ck_assert_int_eq(peer_start(&peer, "echo -o x", "host", words, &fault), 0);
	ck_assert_int_eq(
		peer_expect(&ts, &peer, "-o x host xsplit migrate-receive --query a b", &fault), 0);
	peer_end(&peer);
}
END_TEST

/* What does not hear that it was hung up on, as ssh does where the network is gone. */
START_TEST(deaf_command)
{
	static const char *const none[] = {NULL};
	struct fault fault = {0};
	struct peer peer;

	ck_assert_int_eq(
		peer_start(&peer, "", "sh -c 'echo ready; sleep 3600 & wait'", none, &fault), 0);
	ck_assert_int_eq(peer_expect(&ts, &peer, "ready", &fault), 0);
	peer.end_ms = 200;
	peer_end(&peer);
	ck_assert_int_eq(peer.pid, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_peer");
	TCase *tc = tcase_create("peer");

	tcase_add_loop_test(tc, expect, 0, TABLE_SIZE(talks));
	tcase_add_test(tc, stream_behind);
	tcase_add_test(tc, endless_line);
	tcase_add_test(tc, commands);
	tcase_add_test(tc, deaf_command);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
