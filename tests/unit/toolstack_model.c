/* The command line of a device model, and the talk with it over QMP. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "toolstack/device/model_args.h"
#include "toolstack/device/qmp.h"

#define BASE "name=\"g\"\ntype=\"hvm\"\nmemory=128\n"

static struct domain_config config;
static struct model_setup setup;

static void parse(const char *more)
{
	char text[2048];
	struct fault fault = {0};

	snprintf(text, sizeof(text), BASE "%s", more);
	ck_assert_msg(!domain_config_parse("g.cfg", text, NULL, 0, &config, &fault), "%s: %s", more,
		      fault.text);
	for (size_t i = 0; i < config.vifs; i++)
		memcpy(config.vif[i].mac, "\x00\x16\x3e\x00\x00\x01", MAC_SIZE);
	setup = (struct model_setup){.path = "/qemu", .domid = 5, .qmp_fd = 9, .state_fd = -1};
	for (size_t i = 0; i < DEVICES_MAX; i++)
		setup.vif_fd[i] =
			i < config.vifs && model_emulates_vif(&config.vif[i]) ? 20 + (int)i : -1;
}

/* The whole line, a blank before and behind each word. */
static void line_get(char *line, size_t size)
{
	struct argv argv = {0};
	size_t at = 0;

	model_args(&argv, &config, &setup);
	ck_assert_int_eq(argv.rc, 0);
	for (size_t i = 0; i < argv.count; i++)
		at += (size_t)snprintf(line + at, size - at, " %s", argv.word[i]);
	snprintf(line + at, size - at, " ");
	argv_free(&argv);
}

static const struct {
	const char *what, *config;
	const char *has, *has_not; /* words of the line */
} lines[] = {
	{"the domain", "", " -xen-domid 5 -name g ", " -xen-attach "},
	{"waits for QMP", "", " -S -chardev socket,id=qmp,fd=9,server=on,wait=off ", NULL},
	{"the platform device", "", " -machine xenfv,suppress-vmdesc=on ", NULL},
	{"without it", "xen_platform_pci=0", " -machine pc,accel=xen,", "xenfv"},
	{"memory less the card's", "", " -m 120 ", NULL},
	{"a bigger card", "vga=\"stdvga\"", " -device VGA,vgamem_mb=16 ", "cirrus"},
	{"no card", "nographic=1", " -vnc none ", "vgamem"},
	{"VNC on this host only", "", " -vnc 127.0.0.1:0,to=99 ", NULL},
	{"VNC elsewhere", "vnclisten=\"0.0.0.0\"\nvncdisplay=7\nvncunused=0", " -vnc 0.0.0.0:7 ",
	 NULL},
	{"a display in the address", "vnclisten=\"::1:3\"", " -vnc ::1:3,to=99 ", NULL},
	{"a password", "vncpasswd=\"x\"", ":0,password=on,to=99 ", NULL},
	{"no VNC", "vnc=0", " -vnc none ", NULL},
	{"boot order", "boot=\"dcn\"", " -boot order=dcn ", NULL},
	{"one vcpu", "", NULL, " -smp "},
	{"vcpus", "vcpus=2\nmaxvcpus=4", " -smp 2,maxcpus=4 ", NULL},
	{"serial ports", "serial=[\"pty\", \"file:/a\"]", " -serial pty -serial file:/a ", NULL},
	{"a tablet", "usbdevice=[\"tablet\"]", " -usb -device usb-tablet,bus=usb-bus.0 ", NULL},
	{"a disk as hda", "disk=[\"vdev=xvda,target=/a\"]",
	 " -device ide-hd,id=disk-xvda,bus=ide.0,unit=0,drive=drive-xvda ", NULL},
	{"a disk as hdd", "disk=[\"vdev=hdd,target=/a\"]",
	 " -device ide-hd,id=disk-hdd,bus=ide.1,unit=1,drive=drive-hdd ", NULL},
	{"its image is shared with the backend", "disk=[\"vdev=xvda,target=/a\"]",
	 "file=/a,format=raw,file.locking=off,", NULL},
	{"its image is opened once", "disk=[\"vdev=xvda,target=/a\"]", ",auto-read-only=off,",
	 NULL},
	{"a server's image has no lock", "disk=[\"vdev=xvda,target=nbd://h:1/a\"]",
	 "file=nbd://h:1/a,format=raw,auto-read-only=off,", "locking"},
	{"a comma in a path", "disk=[\"vdev=xvda,target=/a,b\"]", "file=/a,,b,format", NULL},
	{"qcow2", "disk=[\"vdev=xvda,format=qcow2,target=/a\"]", "file=/a,format=qcow2,", NULL},
	{"the fifth has no drive", "disk=[\"vdev=xvde,target=/a\"]", NULL, "/a"},
	{"a partition has none", "disk=[\"vdev=xvda1,target=/a\"]", NULL, "/a"},
	{"IDE writes always", "disk=[\"vdev=xvda,access=ro,target=/a\"]", NULL, "/a"},
	{"SCSI", "disk=[\"vdev=sdb,access=ro,target=/a\"]",
	 " -device lsi53c895a -drive if=none,id=drive-sdb,file=/a,", NULL},
	{"AHCI", "hdtype=\"ahci\"\ndisk=[\"vdev=xvdf,target=/a\"]",
	 " -device ide-hd,id=disk-xvdf,bus=ahci0.5,unit=0,drive=drive-xvdf ", NULL},
	{"a CD-ROM", "disk=[\"vdev=hdc,cdrom,target=/a\"]",
	 ",readonly=on -device ide-cd,id=disk-hdc,bus=ide.1,unit=0,drive=drive-hdc ", NULL},
	{"an empty drive", "disk=[\"vdev=hdd,cdrom,target=\"]",
	 " -device ide-cd,id=disk-hdd,bus=ide.1,unit=1 ", "-drive "},
	{"a SCSI CD-ROM", "disk=[\"vdev=sdc,cdrom,target=/a\"]",
	 " -device scsi-cd,id=disk-sdc,scsi-id=2,drive=drive-sdc ", NULL},
	{"a card", "vif=[\"\"]",
	 " -netdev tap,id=net0,fd=20 -device rtl8139,id=nic0,netdev=net0,mac=00:16:3e:00:00:01 ",
	 NULL},
	{"another card", "vif=[\"model=e1000\"]", " -device e1000,id=nic0,", NULL},
	{"no emulated card", "vif=[\"type=vif\"]", " -net none ", "netdev"},
	{"a kernel", "kernel=\"/k\"\nramdisk=\"/r\"\nextra=\"a b\"",
	 " -kernel /k -initrd /r -append a b ", NULL},
	{"own words", "device_model_args=[\"-trace\", \"xen*\"]", " -trace xen* ", NULL},
};

START_TEST(words)
{
	char line[8192];

	parse(lines[_i].config);
	line_get(line, sizeof(line));
	if (lines[_i].has)
		ck_assert_msg(strstr(line, lines[_i].has), "%s: %s", lines[_i].what, line);
	if (lines[_i].has_not)
		ck_assert_msg(!strstr(line, lines[_i].has_not), "%s: %s", lines[_i].what, line);
	domain_config_free(&config);
}
END_TEST

START_TEST(sandbox)
{
	char line[8192];

	parse("");
	ck_assert(model_restricted(&config));
	line_get(line, sizeof(line));
	ck_assert_ptr_null(strstr(line, "-runas"));
	setup.root = "/r";
	setup.uid = 7;
	setup.gid = 8;
	setup.state_fd = 30;
	line_get(line, sizeof(line));
	ck_assert_msg(strstr(line, " -xen-domid-restrict -chroot /r -runas 7:8 -incoming fd:30 ") !=
			      NULL,
		      "%s", line);
	domain_config_free(&config);
	parse("dm_restrict=0");
	ck_assert(!model_restricted(&config));
	domain_config_free(&config);
}
END_TEST

static const struct {
	const char *config, *wrong;
} wrongs[] = {
	{"", NULL},
	{"videoram=4", "videoram is less than the 8 MiB of a cirrus card; raise it"},
	{"videoram=8\nvga=\"stdvga\"",
	 "videoram is less than the 16 MiB of a stdvga card; raise it"},
	{"nographic=1\nvnc=1",
	 "vnc=1 without a graphics card shows nothing; leave one of them out"},
	{"usbdevice=[\"host:1.2\"]", "usbdevice can be tablet, mouse or keyboard"},
	{"videoram=200", "memory is not more than the graphics card's; raise it"},
};

START_TEST(wrong_configs)
{
	enum domain_option option;
	const char *wrong;

	parse(wrongs[_i].config);
	wrong = model_wrong(&config, &option);
	ck_assert_pstr_eq(wrong, wrongs[_i].wrong);
	domain_config_free(&config);
}
END_TEST

/* A QEMU that says what it is told to, and hears what it is told. */
struct script {
	int listener;
	const char *answers[4]; /* one a line that is heard, the first is the greeting */
	char heard[512];
};

static void *script_play(void *arg)
{
	struct script *script = arg;
	int fd = accept(script->listener, NULL, NULL);
	ssize_t n = 0;

	for (size_t i = 0; i < 4 && script->answers[i]; i++) {
		if (i > 0)
			n = read(fd, script->heard, sizeof(script->heard) - 1);
		if (n < 0)
			break;
		script->heard[n] = '\0';
		if (write(fd, script->answers[i], strlen(script->answers[i])) < 0)
			break;
	}
	close(fd);
	return NULL;
}

#define GREETING "{\"QMP\":{}}\n"
#define OK       "{\"return\":{}}\n"

static const struct {
	const char *what;
	const char *answers[4];
	int open, rc;
	const char *words;
} talks[] = {
	{"an answer", {GREETING, OK, "{\"return\":{\"status\":\"running\"}}\n"}, 0, 0, "running"},
	{"an event before it",
	 {GREETING, OK, "{\"event\":\"STOP\"}\n{\"return\":{\"status\":\"x\"}}\n"},
	 0,
	 0,
	 "x"},
	{"refused",
	 {GREETING, OK, "{\"error\":{\"desc\":\"no\"}}\n"},
	 0,
	 -EIO,
	 "it: query-status: no"},
	{"hung up", {GREETING, OK}, 0, -ECONNRESET, "it: query-status: it has ended"},
	{"no JSON", {GREETING, OK, "what?\n"}, 0, -EPROTO, "it: query-status: Protocol error"},
	{"no QEMU", {"220 hello\n"}, -EPROTO, 0, "it: QMP: Protocol error"},
	{"another protocol", {"{\"SMTP\":{}}\n"}, -EPROTO, 0, "it: QMP: Protocol error"},
	{"gone at once", {NULL}, -ECONNRESET, 0, "it: QMP: it has ended"},
};

START_TEST(qmp_talk)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct script script = {.listener = socket(AF_UNIX, SOCK_STREAM, 0)};
	struct fault fault = {0};
	struct qmp *qmp = NULL;
	yajl_val answer = NULL;
	pthread_t thread;
	int rc;

	memcpy(script.answers, talks[_i].answers, sizeof(script.answers));
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/qmp-%d", (int)getpid());
	ck_assert(!bind(script.listener, (struct sockaddr *)&address, sizeof(address)));
	ck_assert(!listen(script.listener, 1));
	ck_assert(!pthread_create(&thread, NULL, script_play, &script));
	rc = qmp_open(&qmp, address.sun_path, "it", &fault);
	ck_assert_msg(rc == talks[_i].open, "%s: %s", talks[_i].what, fault.text);
	if (!rc) {
		rc = qmp_send(qmp, "query-status", NULL, -1, &answer, &fault);
		ck_assert_msg(rc == talks[_i].rc, "%s: %d %s", talks[_i].what, rc, fault.text);
		if (!rc) {
			const char *path[] = {"status", NULL};

			ck_assert_str_eq(
				YAJL_GET_STRING(yajl_tree_get(answer, path, yajl_t_string)),
				talks[_i].words);
			ck_assert_str_eq(script.heard, "{\"execute\":\"query-status\"}\n");
		}
		yajl_tree_free(answer);
		qmp_close(qmp);
	}
	if (rc || talks[_i].open)
		ck_assert_str_eq(fault.text, talks[_i].words);
	pthread_join(thread, NULL);
	unlink(address.sun_path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_model");
	TCase *tc = tcase_create("model");

	tcase_add_loop_test(tc, words, 0, TABLE_SIZE(lines));
	tcase_add_test(tc, sandbox);
	tcase_add_loop_test(tc, wrong_configs, 0, TABLE_SIZE(wrongs));
	tcase_add_loop_test(tc, qmp_talk, 0, TABLE_SIZE(talks));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
