#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"
#include "toolstack/config/domain_config.h"
#include "toolstack/device/console.h"
#include "toolstack/device/index.h"
#include "toolstack/device/info.h"
#include "toolstack/device/vbd.h"
#include "toolstack/device/vif.h"

static const struct {
	const char *name;
	int rc;
	uint32_t number;
	const char *back;
} vdevs[] = {
	{"xvda", 0, 51712, "xvda"},
	{"xvda1", 0, 51713, "xvda1"},
	{"xvda15", 0, 51727, "xvda15"},
	{"xvda16", 0, (1u << 28) | 16, "xvda16"},
	{"xvdb", 0, 51728, "xvdb"},
	{"xvdp15", 0, 51967, "xvdp15"},
	{"xvdq", 0, (1u << 28) | 16 << 8, "xvdq"},
	{"xvdz", 0, (1u << 28) | 25 << 8, "xvdz"},
	{"xvdaa", 0, (1u << 28) | 26 << 8, "xvdaa"},
	{"xvdzz255", 0, (1u << 28) | 701 << 8 | 255, "xvdzz255"},
	{"xvda256", -ERANGE, 0, NULL},
	{"xvdzzzzz", -ERANGE, 0, NULL},
	{"hda", 0, 768, "hda"},
	{"hda63", 0, 831, "hda63"},
	{"hdb", 0, 832, "hdb"},
	{"hdc1", 0, 5633, "hdc1"},
	{"hdd", 0, 5696, "hdd"},
	{"hda64", -ERANGE, 0, NULL},
	{"hde", -ERANGE, 0, NULL},
	{"sda", 0, 2048, "sda"},
	{"sda15", 0, 2063, "sda15"},
	{"sdp", 0, 2288, "sdp"},
	{"sda16", -ERANGE, 0, NULL},
	{"sdq", -ERANGE, 0, NULL},
	{"d0", 0, 51712, "xvda"},
	{"d0p1", 0, 51713, "xvda1"},
	{"d16p2", 0, (1u << 28) | 16 << 8 | 2, "xvdq2"},
	{"d1p", -EINVAL, 0, NULL},
	{"d", -EINVAL, 0, NULL},
	{"d1p1x", -EINVAL, 0, NULL},
	{"51712", 0, 51712, "xvda"},
	{"0xca00", 0, 51712, "xvda"},
	{"12", 0, 12, "12"},
	{"4294967296", -EINVAL, 0, NULL},
	{"xvd", -EINVAL, 0, NULL},
	{"xvdA", -EINVAL, 0, NULL},
	{"xvda01", -EINVAL, 0, NULL},
	{"xvda0", -EINVAL, 0, NULL},
	{"xvda ", -EINVAL, 0, NULL},
	{"vda", -EINVAL, 0, NULL},
	{"", -EINVAL, 0, NULL},
};

START_TEST(vdev_names)
{
	uint32_t number = 0;
	char back[VDEV_NAME_SIZE];
	int rc = vdev_number(vdevs[_i].name, &number);

	ck_assert_msg(rc == vdevs[_i].rc, "%s: %d", vdevs[_i].name, rc);
	if (rc)
		return;
	ck_assert_uint_eq(number, vdevs[_i].number);
	vdev_name(number, back);
	ck_assert_str_eq(back, vdevs[_i].back);
}
END_TEST

static const struct {
	const char *spec, *message;
} bad_vifs[] = {
	{"mac=00:16:3e:00:00", "vif 0: mac 00:16:3e:00:00 is no address; write six pairs of "
			       "hexadecimal digits, as in 00:16:3e:00:00:01"},
	{"mac=01:16:3e:00:00:01",
	 "vif 0: mac 01:16:3e:00:00:01 is a multicast address; use one that "
	 "begins with 00:16:3e"},
	{"mac=00:00:00:00:00:00",
	 "vif 0: mac 00:00:00:00:00:00 is all zero; use one that begins with 00:16:3e"},
	{"bridge=", "vif 0: bridge= has no value; give one or leave it out"},
	{"bridge=a/b",
	 "vif 0: bridge \"a/b\" is no name of an interface; use 1 to 15 letters, digits, "
	 "'.', '-' or '_'"},
	{"vifname=abcdefghijklmnop",
	 "vif 0: vifname \"abcdefghijklmnop\" is no name of an interface; use 1 to 15 letters, "
	 "digits, '.', '-' or '_'"},
	{"xenbr0", "vif 0: \"xenbr0\" is no KEY=VALUE; write for example mac=00:16:3e:00:00:01"},
	{"brigde=x", "vif 0: unknown word brigde=; a vif has mac, bridge, vifname, ip, devid, mtu, "
		     "rate, type, model, trusted, script"},
	{"model=a,b", "vif 0: \"b\" is no KEY=VALUE; write for example mac=00:16:3e:00:00:01"},
	{"model=a:b", "vif 0: model=a:b is no card; write for example e1000 or rtl8139"},
	{"backend=net", "vif 0: backend= is not supported by this version; leave it out"},
	{"type=tap", "vif 0: type=tap is unknown; use vif or ioemu"},
	{"mtu=67", "vif 0: mtu 67 is not a number from 68 to 65535"},
	{"devid=256", "vif 0: devid 256 is not a number from 0 to 255"},
	{"trusted=2", "vif 0: trusted 2 is not a number from 0 to 1"},
	{"rate=fast",
	 "vif 0: rate fast is no rate; write for example 10Mb/s, 250KB/s or 1MB/s@20ms"},
};

START_TEST(bad_vif_specs)
{
	struct vif_config vif;
	struct fault fault = {0};

	ck_assert_int_eq(vif_config_parse(bad_vifs[_i].spec, "vif 0", &vif, &fault), -EINVAL);
	ck_assert_str_eq(fault.text, bad_vifs[_i].message);
}
END_TEST

START_TEST(vif_spec_default)
{
	struct vif_config vif;
	struct fault fault = {0};

	ck_assert(!vif_config_parse("", "vif 0", &vif, &fault));
	ck_assert_str_eq(vif.bridge, "xenbr0");
	ck_assert(!vif.mac_given && !vif.name && !vif.ip && !vif.mtu && !vif.rate_bytes);
	ck_assert(vif.trusted);
	ck_assert_int_eq(vif.devid, -1);
	vif_config_free(&vif);
}
END_TEST

START_TEST(vif_spec_whole)
{
	struct vif_config vif;
	struct fault fault = {0};

	ck_assert_msg(!vif_config_parse("mac=00:16:3E:Aa:00:01, bridge=br-1.5 ,vifname=tap0,"
					"ip=192.0.2.2,devid=3,mtu=9000,rate=1MB/s@20ms,type=vif,"
					"trusted=0,",
					"vif 0", &vif, &fault),
		      "%s", fault.text);
	ck_assert(vif.mac_given && vif.mac[2] == 0x3e && vif.mac[3] == 0xaa);
	ck_assert_str_eq(vif.bridge, "br-1.5");
	ck_assert_str_eq(vif.name, "tap0");
	ck_assert_str_eq(vif.ip, "192.0.2.2");
	ck_assert_int_eq(vif.devid, 3);
	ck_assert_uint_eq(vif.mtu, 9000);
	ck_assert_uint_eq(vif.rate_bytes, 20000);
	ck_assert_uint_eq(vif.rate_usecs, 20000);
	ck_assert(!vif.trusted);
	vif_config_free(&vif);
}
END_TEST

START_TEST(generated_macs)
{
	for (int i = 0; i < 64; i++) {
		uint8_t mac[MAC_SIZE];

		mac_generate(mac);
		ck_assert(mac[0] == 0 && mac[1] == 0x16 && mac[2] == 0x3e && mac[3] < 0x80);
		ck_assert_ptr_null(mac_why_unfit(mac));
	}
}
END_TEST

static const struct {
	const char *spec, *message;
} bad_disks[] = {
	{"format=rw,vdev=xvda,target=x", "disk 0: unknown value for format: near `rw' in "
					 "`format=rw,vdev=xvda,target=x'; see "
					 "xl-disk-configuration(5)"},
	{"target=x", "disk 0: no vdev specified in `target=x'; see xl-disk-configuration(5)"},
	{"vdev=xvda", "disk 0: no target specified (and device not removable) in `vdev=xvda'; see "
		      "xl-disk-configuration(5)"},
	{"vdev=foo,target=x",
	 "disk 0: vdev foo is no disk; use a name such as xvda, sdb1, hdc or d0p1"},
	{"vdev=sdq,target=x", "disk 0: vdev sdq has no number; xvd has 1048576 disks of 255 "
			      "partitions, sd 16 of 15, hd 4 of 63"},
	{"backendtype=qdisk,vdev=hdc,cdrom,target=x",
	 "disk 0: a CD-ROM with backendtype=qdisk or a script is not supported by this version; "
	 "leave it out"},
	{"format=empty,vdev=xvda,target=", "disk 0: no target; add target=PATH at its end"},
	{"backendtype=tap,vdev=xvda,target=x",
	 "disk 0: backendtype=tap is not supported by this version; leave it out"},
	{"backend=storage,vdev=xvda,target=x",
	 "disk 0: backend= is not supported by this version; leave it out"},
	{"script=block-iscsi,format=qcow2,vdev=xvda,target=x",
	 "disk 0: script= goes with backendtype=phy and format=raw only"},
	{"backendtype=qdisk,vdev=xvda,target=nbd://host/e",
	 "disk 0: nbd://host/e is not for backendtype=qdisk; leave backendtype out"},
	{"format=vdi,vdev=xvda,target=rbd:p/i",
	 "disk 0: rbd:p/i has no format; leave format=vdi out"},
};

START_TEST(bad_disk_specs)
{
	struct disk_config disk;
	struct fault fault = {0};

	ck_assert_int_eq(disk_config_parse(bad_disks[_i].spec, "disk 0", &disk, &fault), -EINVAL);
	ck_assert_str_eq(fault.text, bad_disks[_i].message);
}
END_TEST

static const struct {
	const char *spec, *target, *vdev;
	enum disk_backend backend;
	enum disk_format format;
	bool writable;
} good_disks[] = {
	{"format=raw,vdev=xvda,access=rw,target=a,b", "a,b", "xvda", DISK_PHY, DISK_RAW, true},
	{"/dev/x,raw,xvdb,r", "/dev/x", "xvdb", DISK_PHY, DISK_RAW, false},
	{"phy:/dev/x,hda,w", "/dev/x", "hda", DISK_PHY, DISK_RAW, true},
	{"vdev=xvda,backendtype=qdisk,target=x", "x", "xvda", DISK_QDISK, DISK_RAW, true},
	{"x,qcow2,sda1", "x", "sda1", DISK_PHY, DISK_QCOW2, true},
	{"x,vhd,51712", "x", "xvda", DISK_PHY, DISK_VHD, true},
	{"x, vmdk, xvda, r", "x", "xvda", DISK_PHY, DISK_VMDK, false},
	{"vdi,vdi,xvda", "vdi", "xvda", DISK_PHY, DISK_VDI, true},
	{"backendtype=qdisk, format=vpc,vdev=xvda,target=x", "x", "xvda", DISK_QDISK, DISK_VHD,
	 true},
	{"vdev=xvda,target=format=vdi,vdi", "format=vdi,vdi", "xvda", DISK_PHY, DISK_RAW, true},
	{"vdev=xvda,target=nbd+unix:///e?socket=/s,t", "nbd+unix:///e?socket=/s,t", "xvda",
	 DISK_PHY, DISK_RAW, true},
	{"x,raw,hdc,cdrom", "x", "hdc", DISK_PHY, DISK_RAW, false},
	{"vdev=xvdc,devtype=cdrom,target=", "", "xvdc", DISK_PHY, DISK_RAW, false},
	{"format=empty,vdev=xvdc,cdrom,access=rw", "", "xvdc", DISK_PHY, DISK_RAW, false},
};

START_TEST(good_disk_specs)
{
	struct disk_config disk;
	struct fault fault = {0};

	ck_assert_msg(!disk_config_parse(good_disks[_i].spec, "disk 0", &disk, &fault), "%s",
		      fault.text);
	ck_assert_str_eq(disk.target, good_disks[_i].target);
	ck_assert_str_eq(disk.vdev, good_disks[_i].vdev);
	ck_assert_int_eq(disk.backend, good_disks[_i].backend);
	ck_assert_int_eq(disk.format, good_disks[_i].format);
	ck_assert_int_eq(disk.writable, good_disks[_i].writable);
	disk_config_free(&disk);
}
END_TEST

/* "path = value (owner[,rreader])" of each node, a line each. */
static char *text_of(struct nodes *nodes)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *n = &nodes->node[i];

		fprintf(out, "%s = %s", n->path, n->value);
		if (n->permissions && n->reader == NODES_NO_READER)
			fprintf(out, " (n%u)", n->owner);
		else if (n->permissions)
			fprintf(out, " (n%u,r%d)", n->owner, n->reader);
		fputc('\n', out);
	}
	fclose(out);
	nodes_free(nodes);
	return text;
}

START_TEST(disk_nodes)
{
	struct disk_config disk;
	struct nodes nodes = {0};
	struct fault fault = {0};
	char *text;

	ck_assert(!disk_config_parse("vdev=xvda,backendtype=qdisk,format=qcow2,access=ro,target=/q",
				     "", &disk, &fault));
	vbd_nodes(&nodes, 5, &disk);
	text = text_of(&nodes);
#define BACK                                                                             \
	"params = qcow2:/q", "online = 1", "removable = 0", "bootable = 1", "state = 1", \
		"dev = xvda", "type = qdisk", "mode = r", "device-type = disk",          \
		"discard-enable = 1"
	ck_assert_ptr_nonnull(strstr(text, "/libxl/5/device/vbd/51712 =  (n0)\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/5/device/vbd/51712 =  (n5,r0)\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/0/backend/qdisk/5/51712 =  (n0,r5)\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/5/device/vbd/51712/backend = "
					   "/local/domain/0/backend/qdisk/5/51712\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/5/device/vbd/51712/virtual-device = "
					   "51712\n"));
	for (const char *const *line = (const char *const[]){BACK, NULL}; *line; line++) {
		char whole[128];

		snprintf(whole, sizeof(whole), "/local/domain/0/backend/qdisk/5/51712/%s\n", *line);
		ck_assert_msg(strstr(text, whole) != NULL, "%s in\n%s", whole, text);
		snprintf(whole, sizeof(whole), "/libxl/5/device/vbd/51712/%s\n", *line);
		ck_assert_msg(strstr(text, whole) != NULL, "%s in\n%s", whole, text);
	}
	free(text);
	disk_config_free(&disk);
}
END_TEST

START_TEST(vif_nodes_have_what_is_said)
{
	struct vif_config vif;
	struct nodes nodes = {0};
	struct fault fault = {0};
	char *text;

	ck_assert(!vif_config_parse("mac=00:16:3e:00:00:01,bridge=br0,devid=2,rate=1MB/s@20ms", "",
				    &vif, &fault));
	vif_nodes(&nodes, 5, &vif);
	text = text_of(&nodes);
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/5/device/vif/2 =  (n5,r0)\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/0/backend/vif/5/2 =  (n0,r5)\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/0/backend/vif/5/2/bridge = br0\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/0/backend/vif/5/2/rate = 20000,20000\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "/local/domain/0/backend/vif/5/2/mac = 00:16:3e:00:00:01\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "/local/domain/5/device/vif/2/mac = 00:16:3e:00:00:01\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/0/backend/vif/5/2/script = /bin/true\n"));
	ck_assert_ptr_null(strstr(text, "mtu"));
	ck_assert_ptr_null(strstr(text, "vifname"));
	free(text);
	vif_config_free(&vif);
}
END_TEST

START_TEST(console_front_is_not_the_guests)
{
	struct nodes nodes = {0};
	char *text;

	console_nodes(&nodes, 5, 77, 2);
	text = text_of(&nodes);
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/5/console =  (n0,r5)\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/5/console/ring-ref = 77\n"));
	ck_assert_ptr_nonnull(strstr(text, "/local/domain/5/console/port = 2\n"));
	free(text);
}
END_TEST

static char *row_of(void (*row)(FILE *out, const struct device_info *info),
		    const struct device_info *info)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	row(out, info);
	fclose(out);
	return text;
}

static const struct {
	const char *params, *target;
} image_targets[] = {
	{"/images/a", "/images/a"},
	{"aio:/images/a", "/images/a"},
	{"qcow2:/images/a", "/images/a"},
	{"/images/a:/b", "/images/a:/b"},
	{"nbd://host/export", "nbd://host/export"},
	{"raw:nbd://host/export", "raw:nbd://host/export"},
	{"aio:", "aio:"},
	{"", ""},
};

START_TEST(index_finds_the_image)
{
	ck_assert_str_eq(index_target(image_targets[_i].params), image_targets[_i].target);
}
END_TEST

START_TEST(index_keys)
{
	const uint8_t mac[MAC_SIZE] = {0x00, 0x16, 0x3e, 0xab, 0x00, 0x0f};
	uuid_t uuid = {1}, other = {2};
	char key[INDEX_KEY_SIZE], mark[INDEX_MARK_SIZE], second[INDEX_MARK_SIZE];
	struct index_image image = {0};

	index_mac(mac, key);
	ck_assert_str_eq(key, "00163eab000f");
	index_mark(32751, uuid, mark);
	ck_assert_int_eq(strncmp(mark, "32751-", 6), 0);
	index_mark(32751, other, second);
	ck_assert_str_ne(mark, second);
	index_image("/", &image);
	ck_assert_int_eq(strncmp(image.file, "file-", 5), 0);
	index_image("/nowhere/at/all", &image);
	ck_assert_str_eq(image.file, "");
	index_image("nbd://host/export", &image);
	ck_assert_str_eq(image.file, "");
	ck_assert_uint_eq(strlen(image.path), strlen("path-") + 16);
}
END_TEST

START_TEST(rows_are_xls)
{
	struct device_info info = {.device = {DEVICE_VBD, 5, 0, 51712},
				   .state = 4,
				   .port = 7,
				   .ref = {8, -1},
				   .back = "/local/domain/0/backend/vbd/5/51712"};
	char *text = row_of(info_disk_row, &info);

	ck_assert_str_eq(
		text,
		"51712 0   5      4     7      8        /local/domain/0/backend/vbd/5/51712\n");
	free(text);
	info.device = (struct device){DEVICE_VIF, 5, 0, 0};
	mac_parse("00:16:3e:00:00:01", info.mac);
	snprintf(info.back, sizeof(info.back), "/local/domain/0/backend/vif/5/0");
	text = row_of(info_vif_row, &info);
	ck_assert_str_eq(text, "0   0  00:16:3e:00:00:01     0     4      7     8/-1          "
			       "/local/domain/0/backend/vif/5/0\n");
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_device");
	TCase *t = tcase_create("device");

	tcase_add_loop_test(t, vdev_names, 0, TABLE_SIZE(vdevs));
	tcase_add_loop_test(t, bad_vif_specs, 0, TABLE_SIZE(bad_vifs));
	tcase_add_test(t, vif_spec_default);
	tcase_add_test(t, vif_spec_whole);
	tcase_add_test(t, generated_macs);
	tcase_add_loop_test(t, bad_disk_specs, 0, TABLE_SIZE(bad_disks));
	tcase_add_loop_test(t, good_disk_specs, 0, TABLE_SIZE(good_disks));
	tcase_add_loop_test(t, index_finds_the_image, 0, TABLE_SIZE(image_targets));
	tcase_add_test(t, index_keys);
	tcase_add_test(t, disk_nodes);
	tcase_add_test(t, vif_nodes_have_what_is_said);
	tcase_add_test(t, console_front_is_not_the_guests);
	tcase_add_test(t, rows_are_xls);
	suite_add_tcase(suite, t);
	return check_main(suite);
}
