#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"
#include "toolstack/config/cpulist.h"
#include "toolstack/config/domain_config.h"

#define PVH  "name=\"g\"\ntype=\"pvh\"\nkernel=\"k\"\nmemory=64\n"
#define BASE "name=\"g\"\ntype=\"process\"\nkernel=\"k\"\nmemory=64\n"

static int parse(const char *text, struct domain_config *config, struct fault *fault)
{
	*fault = (struct fault){0};
	return domain_config_parse("g.cfg", text, NULL, 0, config, fault);
}

static const struct {
	const char *text, *message;
} errors[] = {
	{"name=\"g\"\nmemroy=64\n", "g.cfg:2: unknown key \"memroy\"; did you mean \"memory\"?"},
	{"name=\"g\"\n\n# x\nfrobnicate=1\n",
	 "g.cfg:4: unknown key \"frobnicate\"; see xsplit.cfg(5)"},
	{"name=\"g\"\npci=['01:00.0']\n",
	 "g.cfg:2: key \"pci\" is not supported by this version; remove it"},
	{"name=\"g\"\nmemory=\n",
	 "g.cfg:2: syntax error near <newline>: syntax error, unexpected NEWLINE, expecting STRING or "
	 "NUMBER or '['; see xl.cfg(5)"},
	{"name=[\"g\"]\n", "g.cfg:1: name is one value, not a list; remove the brackets"},
	{BASE "disk='x'\n", "g.cfg:5: disk is a list; write disk=['...', '...']"},
	{"memory=64\n", "g.cfg: no name; add name=\"guest\""},
	{"name=\"12\"\n",
	 "g.cfg:1: name \"12\" is made of digits only and would be taken for a domain "
	 "id; choose another"},
	{"name=\"a b\"\n",
	 "g.cfg:1: name \"a b\" holds a space, a slash or a control character; choose another"},
	{"name=\"g\"\n", "g.cfg: no type; add type=\"pvh\", \"pv\", \"hvm\" or \"process\""},
	{"name=\"g\"\nbuilder=\"linux\"\n",
	 "g.cfg:2: builder=\"linux\" is unknown; use type=\"pvh\", \"pv\" or \"hvm\""},
	{"name=\"g\"\ntype=\"vm\"\n",
	 "g.cfg:2: type=\"vm\" is unknown; use \"pvh\", \"pv\", \"hvm\" or \"process\""},
	{"name=\"g\"\ntype=\"pv\"\n", "g.cfg: no kernel; add kernel=\"/boot/vmlinuz\""},
	{BASE "ramdisk=\"r\"\n", "g.cfg:5: a process guest has no ramdisk; remove it"},
	{BASE "root=\"/dev/xvda\"\n", "g.cfg:5: a process guest has no root; remove it"},
	{PVH "cmdline=\"a\"\nroot=\"/dev/xvda\"\n",
	 "g.cfg:6: both cmdline and root are set; keep one of them"},
	{PVH "maxvcpus=128\n",
	 "g.cfg:5: maxvcpus=128 is not a number of virtual CPUs from 1 to 127"},
	{"name=\"g\"\ntype=\"process\"\n", "g.cfg: no kernel; add kernel=\"xsplit-guest\""},
	{"name=\"g\"\ntype=\"process\"\nkernel=\"k\"\n", "g.cfg: no memory; add memory=64 (MiB)"},
	{"name=\"g\"\ntype=\"process\"\nkernel=\"k\"\nmemory=1\n",
	 "g.cfg:4: memory=1 is not a number of MiB from 4 to 16777216"},
	{"name=\"g\"\ntype=\"process\"\nkernel=\"k\"\nmemory=\"64M\"\n",
	 "g.cfg:4: memory=64M is not a number of MiB from 4 to 16777216"},
	{BASE "maxmem=32\n", "g.cfg:5: maxmem=32 is less than memory=64; raise it"},
	{BASE "vcpus=0\n", "g.cfg:5: vcpus=0 is not a number of virtual CPUs from 1 to 512"},
	{BASE "vcpus=4\nmaxvcpus=2\n", "g.cfg:6: maxvcpus=2 is less than vcpus=4; raise it"},
	{BASE "uuid=\"x\"\n", "g.cfg:5: uuid=\"x\" is no UUID; leave it out or write one that "
			      "uuidgen(1) prints"},
	{BASE "extra=\"a\"\ncmdline=\"b\"\n",
	 "g.cfg:5: both cmdline and extra are set; keep one of them"},
	{BASE "on_reboot=\"x\"\n",
	 "g.cfg:5: on_reboot=\"x\" is unknown; use destroy, restart, preserve, rename-restart, "
	 "coredump-destroy, coredump-restart or soft-reset"},
	{PVH "hap=yes\n",
	 "g.cfg:5: syntax error near `yes': syntax error, unexpected IDENT, expecting STRING or NUMBER "
	 "or '['; see xl.cfg(5)"},
	{PVH "hap=\"yes\"\n", "g.cfg:5: hap=yes is neither 0 nor 1"},
	{PVH "hap=[1]\n", "g.cfg:5: hap is one value, not a list; remove the brackets"},
	{PVH "pvshim=1\n", "g.cfg:5: pvshim=1 is not supported by this version; remove it"},
	{PVH "acpi=0\n",
	 "g.cfg:5: acpi=0 is not supported by this version for a guest of type=\"pvh\"; remove it"},
	{PVH "device_model_override=\"/x\"\n",
	 "g.cfg:5: device_model_override is not supported by this version for a guest of "
	 "type=\"pvh\"; remove it"},
	{PVH "vfb=['vnc=1']\n", "g.cfg:5: key \"vfb\" is not supported by this version; remove it"},
	{PVH "boot=\"c\"\n", "g.cfg:5: boot means nothing for a guest of type=\"pvh\"; remove it"},
	{BASE "cap=100\n", "g.cfg:5: cap means nothing for a guest of type=\"process\"; remove it"},
	{PVH "cpu_weight=0\n", "g.cfg:5: cpu_weight=0 is not a number from 1 to 65535"},
	{PVH "cpu_weight=\"1x\"\n", "g.cfg:5: cpu_weight=1x is not a number from 1 to 65535"},
	{PVH "tsc_mode=\"fast\"\n",
	 "g.cfg:5: tsc_mode=\"fast\" is unknown; use default, always_emulate, native"},
	{PVH "tsc_mode=\"native_paravirt\"\n",
	 "g.cfg:5: tsc_mode=\"native_paravirt\" is not supported by this version; use default, "
	 "always_emulate, native"},
	{PVH "passthrough=\"enabled\"\n",
	 "g.cfg:5: passthrough=\"enabled\" is not supported by this version; use disabled"},
	{PVH "cpus=\"0-\"\n",
	 "g.cfg:5: cpus=\"0-\" cannot be read; write for example \"0-3,^1\", \"node:0\" or \"all\""},
	{PVH "cpus=[\"0\",\"x\"]\n",
	 "g.cfg:5: cpus=\"x\" cannot be read; write for example \"0-3,^1\", \"node:0\" or \"all\""},
	{PVH "cpus=[[1]]\n", "g.cfg:5: item 0 of cpus is a list; write it as one string"},
	{PVH "vnuma=[]\n", "g.cfg:5: key \"vnuma\" is not supported by this version; remove it"},
	{"name=\"g\"\ntype=\"hvm\"\nmemory=64\nboot=\"x\"\n",
	 "g.cfg:4: boot=\"x\" cannot be read; write letters of c (disk), d (CD-ROM), n (network)"},
	{"name=\"g\"\ntype=\"hvm\"\nmemory=64\nbios=\"rombios\"\n",
	 "g.cfg:4: bios=\"rombios\" is not supported by this version; use seabios, ovmf"},
	{BASE "disk=['vdev=xvda,target=a',\n'vdev=xvdq1,target=b',\n'51712,target=c']\n",
	 "g.cfg:7: disk 2: target respecified: near `c' in `51712,target=c'; see xl-disk-configuration(5)"},
	{BASE "disk=['vdev=xvda,target=a',\n'vdev=d0,target=b']\n",
	 "g.cfg:6: disk 1: vdev xvda is already disk 0's; choose another"},
	{BASE "vif=[\n''\n,'mac=1'\n]\n",
	 "g.cfg:7: vif 1: mac 1 is no address; write six pairs of hexadecimal digits, as in "
	 "00:16:3e:00:00:01"},
	{BASE "vif=['mac=00:16:3e:00:00:01']\nvif+=['mac=00:16:3E:00:00:01']\n",
	 "g.cfg:6: vif 1: mac 00:16:3e:00:00:01 is already vif 0's; choose another"},
	{BASE "vif=['devid=1',\n'devid=1']\n",
	 "g.cfg:6: vif 1: devid 1 is already vif 0's; choose another"},
	{BASE "vif=[['a']]\n", "g.cfg:5: vif 0: is a list; write it as one string"},
};

START_TEST(errors_name_the_line)
{
	struct domain_config config;
	struct fault fault;

	ck_assert_int_eq(parse(errors[_i].text, &config, &fault), -EINVAL);
	ck_assert_str_eq(fault.text, errors[_i].message);
}
END_TEST

START_TEST(defaults)
{
	struct domain_config config;
	struct fault fault;

	ck_assert_msg(!parse(BASE, &config, &fault), "%s", fault.text);
	ck_assert_str_eq(config.name, "g");
	ck_assert_str_eq(config.kernel, "k");
	ck_assert_str_eq(config.cmdline, "");
	ck_assert_uint_eq(config.memory_kib, 65536);
	ck_assert_uint_eq(config.maxmem_kib, 65536);
	ck_assert_uint_eq(config.vcpus, 1);
	ck_assert_uint_eq(config.maxvcpus, 1);
	ck_assert(!config.uuid_given && !uuid_is_null(config.uuid));
	ck_assert_int_eq(config.action[END_POWEROFF], ACTION_DESTROY);
	ck_assert_int_eq(config.action[END_REBOOT], ACTION_RESTART);
	ck_assert_int_eq(config.action[END_CRASH], ACTION_DESTROY);
	ck_assert_int_eq(config.action[END_WATCHDOG], ACTION_DESTROY);
	ck_assert_uint_eq(config.disks, 0);
	ck_assert_uint_eq(config.vifs, 0);
	domain_config_free(&config);
}
END_TEST

START_TEST(overrides_win)
{
	char *words[] = {(char *)"memory=128", (char *)"extra=a \"quoted\" \\ word",
			 (char *)"vif=['bridge=br1']"};
	struct domain_config config;
	struct fault fault = {0};

	ck_assert_msg(!domain_config_parse("g.cfg", BASE "extra='x'", words, 3, &config, &fault),
		      "%s", fault.text);
	ck_assert_uint_eq(config.memory_kib, 128 << 10);
	ck_assert_str_eq(config.cmdline, "a \"quoted\" \\ word");
	ck_assert_str_eq(config.vif[0].bridge, "br1");
	domain_config_free(&config);
}
END_TEST

static const struct {
	const char *what, *word, *message;
} bad_overrides[] = {
	{"no =", "memory",
	 "command line: \"memory\" is no KEY=VALUE of xsplit.cfg(5); write for "
	 "example memory=128"},
	{"two lines", "a=1\nb=2",
	 "command line: \"a=1?b=2\" is no KEY=VALUE of xsplit.cfg(5); write for example memory=128"},
	{"wrong value", "memory=x",
	 "command line: memory=x is not a number of MiB from 4 to 16777216"},
	{"unknown key", "nmae=x", "command line: unknown key \"nmae\"; did you mean \"name\"?"},
};

START_TEST(overrides_have_no_line)
{
	char *word = strdup(bad_overrides[_i].word);
	struct domain_config config;
	struct fault fault = {0};

	ck_assert_int_eq(domain_config_parse("g.cfg", BASE, &word, 1, &config, &fault), -EINVAL);
	ck_assert_msg(!strcmp(fault.text, bad_overrides[_i].message), "%s: %s",
		      bad_overrides[_i].what, fault.text);
	free(word);
}
END_TEST

START_TEST(lowest_free_devids)
{
	struct domain_config config;
	struct fault fault;

	ck_assert(!parse(BASE "vif=['', 'devid=0', '', 'devid=2']\n", &config, &fault));
	ck_assert_int_eq(config.vif[0].devid, 1);
	ck_assert_int_eq(config.vif[1].devid, 0);
	ck_assert_int_eq(config.vif[2].devid, 3);
	ck_assert_int_eq(config.vif[3].devid, 2);
	domain_config_free(&config);
}
END_TEST

/* What is printed reads the same again: xsplitd restarts guests from it. */
START_TEST(printed_and_read_again)
{
	static const char text[] =
		"name=\"g-1\"\ntype=\"process\"\nkernel=\"/a b/k\"\n"
		"cmdline='say \"x\" \\\\ \\t\\n\x01'\nmemory=64\nmaxmem=128\nvcpus=2\nmaxvcpus=3\n"
		"on_poweroff=\"preserve\"\non_crash=\"restart\"\n"
		"disk=['format=raw,vdev=xvda,access=ro,script=block-x,target=/x,y=z \"',\n"
		"'format=qcow2,vdev=sdb3,no-discard,direct-io-safe,target=/q']\n"
		"vif=['mac=00:16:3e:00:00:01,bridge=br0,vifname=t0,ip=192.0.2.1,devid=5,mtu=9000,script=/s,"
		"rate=10Mb/s@20ms,trusted=0', '']\n";
	struct domain_config first, second;
	struct fault fault;
	char *printed, *again;

	ck_assert_msg(!parse(text, &first, &fault), "%s", fault.text);
	printed = domain_config_print(&first);
	ck_assert_msg(!parse(printed, &second, &fault), "%s in %s", fault.text, printed);
	again = domain_config_print(&second);
	ck_assert_str_eq(printed, again);
	ck_assert_str_eq(second.cmdline, "say \"x\" \\ \t\n\x01");
	ck_assert_str_eq(second.disk[0].target, "/x,y=z \"");
	ck_assert_int_eq(second.disk[1].format, DISK_QCOW2);
	ck_assert(second.disk[1].direct_io_safe && !second.disk[1].discard);
	ck_assert_uint_eq(second.vif[0].rate_bytes, first.vif[0].rate_bytes);
	ck_assert_uint_eq(second.vif[0].rate_usecs, 20000);
	ck_assert_str_eq(second.vif[0].name, "t0");
	ck_assert_str_eq(second.disk[0].script, "block-x");
	ck_assert_str_eq(second.vif[0].script, "/s");
	free(printed);
	free(again);
	domain_config_free(&first);
	domain_config_free(&second);
}
END_TEST

static const struct {
	const char *text;
	enum domain_type type;
	const char *cmdline, *ramdisk;
} images[] = {
	{"type=\"pv\"\nextra=\"quiet\"\n", DOMAIN_PV, "quiet", NULL},
	{"builder=\"generic\"\nramdisk=\"/i\"\n", DOMAIN_PV, "", "/i"},
	{"type=\"pvh\"\nroot=\"/dev/xvda ro\"\nextra=\"quiet\"\n", DOMAIN_PVH,
	 "root=/dev/xvda ro quiet", NULL},
	{"type=\"pvh\"\nroot=\"/dev/xvda\"\nramdisk=\"i\"\n", DOMAIN_PVH, "root=/dev/xvda", "i"},
	{"type=\"pvh\"\ncmdline=\"c\"\nramdisk=\"\"\n", DOMAIN_PVH, "c", NULL},
};

START_TEST(kernels_and_what_they_get)
{
	char text[256];
	struct domain_config config, again;
	struct fault fault;
	char *printed;

	snprintf(text, sizeof(text), "name=\"g\"\nkernel=\"k\"\nmemory=64\n%s", images[_i].text);
	ck_assert_msg(!parse(text, &config, &fault), "%s", fault.text);
	printed = domain_config_print(&config);
	ck_assert_msg(!parse(printed, &again, &fault), "%s in %s", fault.text, printed);
	ck_assert_int_eq(again.type, images[_i].type);
	ck_assert_str_eq(again.cmdline, images[_i].cmdline);
	ck_assert_pstr_eq(again.ramdisk, images[_i].ramdisk);
	free(printed);
	domain_config_free(&config);
	domain_config_free(&again);
}
END_TEST

#define HVM "name=\"g\"\ntype=\"hvm\"\nmemory=64\n"

/* Each kind of option, and how it is printed: what is printed reads the same again. */
static const struct {
	const char *text, *printed;
} options[] = {
	{PVH "cpus=\"0-3,^1\"\n", "cpus=\"0-3,^1\"\n"},
	{PVH "cpus=[\"2\", \"nodes:0-1\"]\n", "cpus=[\"2\",\"nodes:0-1\"]\n"},
	{PVH "cpus=[2,3]\n", "cpus=[\"2\",\"3\"]\n"},
	{PVH "cpus=[\"2\"]\n", "cpus=[\"2\"]\n"},
	{PVH "hap=0\nnestedhvm=7\n", "hap=\"0\"\nnestedhvm=\"1\"\n"},
	{PVH "rtc_timeoffset=\"-3600\"\n", "rtc_timeoffset=\"-3600\"\n"},
	{PVH "max_grant_frames=0x40\n", "max_grant_frames=\"64\"\n"},
	{PVH "tsc_mode=1\n", "tsc_mode=\"always_emulate\"\n"},
	{PVH "timer_mode=\"one_missed_tick_pending\"\n",
	 "timer_mode=\"one_missed_tick_pending\"\n"},
	{PVH "bootloader=\"pygrub\"\nbootloader_args=\"-q  --x\"\n",
	 "bootloader=\"pygrub\"\nbootloader_args=[\"-q\",\"--x\"]\n"},
	{PVH "cpuid=\"host,htt=0\"\n", "cpuid=\"host,htt=0\"\n"},
	{PVH "cpuid=['0:eax=3,ebx=x']\n", "cpuid=[\"0:eax=3,ebx=x\"]\n"},
	{HVM "boot=\"dc\"\nvnc=1\nvnclisten='0.0.0.0:1'\n",
	 "boot=\"dc\"\nvnc=\"1\"\nvnclisten=\"0.0.0.0:1\"\n"},
	{HVM "serial=['pty','file:/x']\nusbdevice='tablet'\n",
	 "serial=[\"pty\",\"file:/x\"]\nusbdevice=\"tablet\"\n"},
	{HVM "viridian=['base','!time_ref_count']\n", "viridian=[\"base\",\"!time_ref_count\"]\n"},
	{HVM "firmware_override='/xtf/test'\n", "firmware_override=\"/xtf/test\"\n"},
};

START_TEST(options_print_as_they_read)
{
	struct domain_config config, again;
	struct fault fault;
	char *printed, *second;

	ck_assert_msg(!parse(options[_i].text, &config, &fault), "%s", fault.text);
	printed = domain_config_print(&config);
	ck_assert_msg(strstr(printed, options[_i].printed) != NULL, "%s", printed);
	ck_assert_msg(!parse(printed, &again, &fault), "%s", fault.text);
	second = domain_config_print(&again);
	ck_assert_str_eq(printed, second);
	free(printed);
	free(second);
	domain_config_free(&config);
	domain_config_free(&again);
}
END_TEST

/* On a host of 8 CPUs, 0 to 3 of node 0. */
static const struct {
	const char *list;
	int rc;
	const char *printed;
} cpulists[] = {
	{"all", 0, "all"},
	{"none", 0, "none"},
	{"0-3,5,^1", 0, "0,2-3,5"},
	{"all,^7", 0, "0-6"},
	{"nodes:0-1,^node:1", 0, "0-3"},
	{"1,node:1,^6", 0, "1,4-5,7"},
	{"all,^5-6", 0, "0-4,7"},
	{"node:^0", 0, "none"},
	{" 2 , 4", 0, "2,4"},
	{"8", -ERANGE, NULL},
	{"node:2", -ERANGE, NULL},
	{"3-1", -EINVAL, NULL},
	{"", -EINVAL, NULL},
	{"1,", -EINVAL, NULL},
	{"1 2", -EINVAL, NULL},
	{"99999999999", -EINVAL, NULL},
	{"^", -EINVAL, NULL},
};

START_TEST(lists_of_cpus)
{
	static const unsigned nodes[] = {0, 0, 0, 0, 1, 1, 1, 1};
	const struct cpulist_host host = {.cpus = 8, .node = nodes};
	const char *list = cpulists[_i].list;
	char text[64];
	uint8_t map;

	ck_assert_msg(cpulist_parse(list, &host, &map) == cpulists[_i].rc, "%s", list);
	if (cpulists[_i].rc)
		return;
	cpulist_print(&map, 8, text, sizeof(text));
	ck_assert_msg(!strcmp(text, cpulists[_i].printed), "%s: %s", list, text);
}
END_TEST

START_TEST(extended_and_read)
{
	struct domain_config config;
	struct disk_config disk;
	struct fault fault = {0};
	char *text;

	ck_assert(!disk_config_parse("vdev=xvdb,access=ro,target=/it's", "disk", &disk, &fault));
	text = domain_config_extend(BASE "disk=['vdev=xvda,target=/a']\n", &disk, NULL);
	ck_assert_msg(!parse(text, &config, &fault), "%s in %s", fault.text, text);
	ck_assert_uint_eq(config.disks, 2);
	ck_assert_str_eq(config.disk[1].target, "/it's");
	ck_assert(!config.disk[1].writable);
	domain_config_free(&config);
	disk_config_free(&disk);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_config");
	TCase *t = tcase_create("config");

	tcase_add_loop_test(t, errors_name_the_line, 0, TABLE_SIZE(errors));
	tcase_add_test(t, defaults);
	tcase_add_test(t, overrides_win);
	tcase_add_loop_test(t, overrides_have_no_line, 0, TABLE_SIZE(bad_overrides));
	tcase_add_test(t, lowest_free_devids);
	tcase_add_test(t, printed_and_read_again);
	tcase_add_loop_test(t, kernels_and_what_they_get, 0, TABLE_SIZE(images));
	tcase_add_loop_test(t, options_print_as_they_read, 0, TABLE_SIZE(options));
	tcase_add_loop_test(t, lists_of_cpus, 0, TABLE_SIZE(cpulists));
	tcase_add_test(t, extended_and_read);
	suite_add_tcase(suite, t);
	return check_main(suite);
}
