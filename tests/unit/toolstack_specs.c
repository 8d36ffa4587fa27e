/*
 * Every form of a specification in xl-disk-configuration(5), xl-network-configuration(5) and
 * xl-pci-configuration(5): what it reads as, or how it is refused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"
#include "toolstack/config/domain_config.h"

/* As the manual numbers them: syntax, positional parameters, other parameters, deprecated forms. */
static const struct {
	const char *spec;
	const char *reads; /* as disk_config_spec() prints it; NULL: refused */
	const char *words; /* of the refusal */
} disks[] = {
	/* equivalent strings */
	{"/dev/vg/guest-volume,,hda",
	 "format=raw,vdev=hda,access=rw,backendtype=phy,discard,target=/dev/vg/guest-volume", NULL},
	{"/dev/vg/guest-volume,raw,hda,rw",
	 "format=raw,vdev=hda,access=rw,backendtype=phy,discard,target=/dev/vg/guest-volume", NULL},
	{"format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume",
	 "format=raw,vdev=hda,access=rw,backendtype=phy,discard,target=/dev/vg/guest-volume", NULL},
	{"raw:/dev/vg/guest-volume,hda,w",
	 "format=raw,vdev=hda,access=rw,backendtype=phy,discard,target=/dev/vg/guest-volume", NULL},
	/* white space before each parameter, empty values */
	{"  /x ,  raw,  xvda,  w",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x ", NULL},
	{"/x,,xvda,", "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	/* target */
	{"vdev=xvda,target=/a,b=c:d",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/a,b=c:d", NULL},
	{"/x,raw,xvda,target=/y", NULL, "target respecified"},
	{"vdev=xvda", NULL, "no target specified"},
	/* format */
	{"/x,qcow,xvda", "format=qcow,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"/x,qcow2,xvda", "format=qcow2,vdev=xvda,access=rw,backendtype=phy,discard,target=/x",
	 NULL},
	{"/x,vhd,xvda", "format=vhd,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"/x,qed,xvda", "format=qed,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"/x,tar,xvda", NULL, "unknown value for format"},
	/* vdev */
	{"/x,raw,sdb3", "format=raw,vdev=sdb3,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"/x,raw,d0p2", "format=raw,vdev=xvda2,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"/x,raw,xvdaa", "format=raw,vdev=xvdaa,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"/x,raw,51728", "format=raw,vdev=xvdb,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"/x,raw,hde", NULL, "vdev hde has no number"},
	{"/x,raw,floppy", NULL, "vdev floppy is no disk"},
	{"/x,raw", NULL, "no vdev specified"},
	/* access */
	{"/x,raw,xvda,ro", "format=raw,vdev=xvda,access=ro,backendtype=phy,discard,target=/x",
	 NULL},
	{"/x,raw,xvda,r", "format=raw,vdev=xvda,access=ro,backendtype=phy,discard,target=/x", NULL},
	{"/x,raw,xvda,w", "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"/x,raw,xvda,rw", "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x",
	 NULL},
	{"/x,raw,xvda,x", NULL, "unknown value for access"},
	/* each at most once */
	{"vdev=xvda,vdev=xvdb,target=/x", NULL, "vdev respecified"},
	{"access=ro,/x,raw,xvda,rw,more", NULL, "too many positional parameters"},
	/* backendtype */
	{"backendtype=phy,vdev=xvda,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"backendtype=qdisk,vdev=xvda,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=qdisk,discard,target=/x", NULL},
	{"backendtype=standalone,vdev=xvda,target=/x", NULL,
	 "backendtype=standalone is not supported by this version; leave it out"},
	{"backendtype=tap,vdev=xvda,target=/x", NULL,
	 "backendtype=tap is not supported by this version; leave it out"},
	{"backendtype=x,vdev=xvda,target=/x", NULL, "unknown value for backendtype"},
	/* backend */
	{"backend=storage,vdev=xvda,target=/x", NULL,
	 "backend= is not supported by this version; leave it out"},
	/* script */
	{"script=block-iscsi,vdev=xvda,target=iqn.x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,script=block-iscsi,target=iqn.x",
	 NULL},
	{"script=/s,backendtype=qdisk,vdev=xvda,target=/x", NULL,
	 "script= goes with backendtype=phy and format=raw only"},
	/* direct-io-safe, discard */
	{"direct-io-safe,vdev=xvda,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,direct-io-safe,target=/x", NULL},
	{"discard,vdev=xvda,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"no-discard,vdev=xvda,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,no-discard,target=/x", NULL},
	/* trusted, and the backend's own */
	{"untrusted,vdev=xvda,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,untrusted,target=/x", NULL},
	{"trusted,vdev=xvda,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"sector-size=4096,legacy-sector-units=number,vdev=xvda,request-timeout=0,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,sector-size=4096,"
	 "legacy-sector-units=number,request-timeout=0,target=/x",
	 NULL},
	{"vdev=xvda,target=/x,sector-size=4096",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x,sector-size=4096", NULL},
	{"sector-size=1024,vdev=xvda,target=/x", NULL, "sector-size=1024 is not 512 or 4096"},
	{"legacy-sector-units=some,vdev=xvda,target=/x", NULL,
	 "legacy-sector-units=some is not 0, count, number or all"},
	{"polling=0,persistent=1,vdev=xvda,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,polling=0,persistent=1,target=/x",
	 NULL},
	{"polling=yes,vdev=xvda,target=/x", NULL, "polling=yes is not 0 or 1"},
	{"persistent=,vdev=xvda,target=/x", NULL, "persistent= is not 0 or 1"},
	{"request-timeout=86401,vdev=xvda,target=/x", NULL,
	 "request-timeout=86401 is not 0 to 86400 seconds"},
	/* specification, COLO */
	{"specification=xen,vdev=xvda,target=/x",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"specification=virtio,vdev=xvda,target=/x", NULL,
	 "specification=virtio is not supported by this version; leave it out"},
	{"colo,colo-host=h,colo-port=1,colo-export=e,active-disk=a,hidden-disk=b,vdev=xvda,target=/x",
	 NULL, "colo is not supported by this version; leave it out"},
	/* deprecated prefixes */
	{"tap:aio:qcow2:/x,xvda,w",
	 "format=qcow2,vdev=xvda,access=rw,backendtype=phy,discard,target=/x", NULL},
	{"file:/x,xvda,w", "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x",
	 NULL},
	{"phy:/dev/x,xvda,r",
	 "format=raw,vdev=xvda,access=ro,backendtype=phy,discard,target=/dev/x", NULL},
	{"tapdisk:/x,xvda,w", "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x",
	 NULL},
	{"tap2:/x,xvda,w", "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x",
	 NULL},
	{"ioemu:/x,xvda,w", "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,target=/x",
	 NULL},
	{"iscsi:iqn.x,xvda,w",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,script=block-iscsi,target=iqn.x",
	 NULL},
	{"drbd:r0,xvda,w",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,script=block-drbd,target=r0",
	 NULL},
	{"enbd:x,xvda,w",
	 "format=raw,vdev=xvda,access=rw,backendtype=phy,discard,script=block-enbd,target=x", NULL},
	/* unknown */
	{"bogus=1,vdev=xvda,target=/x", NULL, "unknown parameter"},
	{"", NULL, "no vdev specified"},
};

static const char *const place = "g.cfg:1: disk 0: ";

START_TEST(disk_forms)
{
	struct disk_config disk;
	struct fault fault = {0};
	int rc = disk_config_parse(disks[_i].spec, "g.cfg:1: disk 0", &disk, &fault);
	char *spec;

	if (!disks[_i].reads) {
		ck_assert_msg(rc == -EINVAL, "%s: %d", disks[_i].spec, rc);
		ck_assert_msg(!strncmp(fault.text, place, strlen(place)) &&
				      strstr(fault.text, disks[_i].words),
			      "%s: %s", disks[_i].spec, fault.text);
		return;
	}
	ck_assert_msg(!rc, "%s: %s", disks[_i].spec, fault.text);
	spec = disk_config_spec(&disk);
	ck_assert_msg(!strcmp(spec, disks[_i].reads), "%s: %s", disks[_i].spec, spec);
	free(spec);
	disk_config_free(&disk);
}
END_TEST

/* The manual's keywords in its order. */
static const struct {
	const char *spec;
	const char *reads; /* as vif_config_spec() prints it */
	const char *words;
} vifs[] = {
	{"", "devid=-1,bridge=xenbr0,trusted=1", NULL},
	{"mac=00:16:3E:74:34:32", "devid=-1,bridge=xenbr0,trusted=1,mac=00:16:3e:74:34:32", NULL},
	{"mac=00:16:3E:74:3d:76,model=rtl8139,bridge=xenbr1",
	 "devid=-1,bridge=xenbr1,trusted=1,mac=00:16:3e:74:3d:76,model=rtl8139", NULL},
	{"mac=00:16:3e:74:34", NULL, "mac 00:16:3e:74:34 is no address"},
	{"mac=01:16:3e:74:34:32", NULL, "is a multicast address"},
	{"mac=00-16-3e-74-34-32", NULL, "is no address"},
	{" bridge = br0 , ", "devid=-1,bridge=br0,trusted=1", NULL},
	{"bridge=a b", NULL, "is no name of an interface"},
	{"bridge=waytoolongforaname", NULL, "is no name of an interface"},
	{"gatewaydev=eth0", NULL, "gatewaydev= is not supported by this version; leave it out"},
	{"netdev=eth0", NULL, "netdev= is not supported by this version; leave it out"},
	{"type=vif", "devid=-1,bridge=xenbr0,trusted=1,type=vif", NULL},
	{"type=ioemu", "devid=-1,bridge=xenbr0,trusted=1,type=ioemu", NULL},
	{"type=tap", NULL, "type=tap is unknown; use vif or ioemu"},
	{"model=e1000", "devid=-1,bridge=xenbr0,trusted=1,model=e1000", NULL},
	{"model=e1000;id", NULL, "model=e1000;id is no card"},
	{"vifname=eth-guest", "devid=-1,bridge=xenbr0,trusted=1,vifname=eth-guest", NULL},
	{"vifname=a/b", NULL, "is no name of an interface"},
	{"script=vif-route", "devid=-1,bridge=xenbr0,trusted=1,script=vif-route", NULL},
	{"ip=192.0.2.7", "devid=-1,bridge=xenbr0,trusted=1,ip=192.0.2.7", NULL},
	{"backend=net", NULL, "backend= is not supported by this version; leave it out"},
	{"rate=10Mb/s", "devid=-1,bridge=xenbr0,trusted=1,rate=1250000B/s@50000us", NULL},
	{"rate=250KB/s", "devid=-1,bridge=xenbr0,trusted=1,rate=250000B/s@50000us", NULL},
	{"rate=1MB/s@20ms", "devid=-1,bridge=xenbr0,trusted=1,rate=1000000B/s@20000us", NULL},
	{"rate=1GB/s@1s", "devid=-1,bridge=xenbr0,trusted=1,rate=1000000000B/s@1000000us", NULL},
	{"rate=800b/s@1s", "devid=-1,bridge=xenbr0,trusted=1,rate=100B/s@1000000us", NULL},
	{"rate=10", NULL, "rate 10 is no rate"},
	{"rate=1MB/s@20m", NULL, "is no rate"},
	{"devid=3", "devid=3,bridge=xenbr0,trusted=1", NULL},
	{"devid=x", NULL, "devid x is not a number"},
	{"mtu=9000", "devid=-1,bridge=xenbr0,trusted=1,mtu=9000", NULL},
	{"mtu=10", NULL, "mtu 10 is not a number from 68 to 65535"},
	{"trusted", "devid=-1,bridge=xenbr0,trusted=1", NULL},
	{"untrusted", "devid=-1,bridge=xenbr0,trusted=0", NULL},
	{"trusted=0", "devid=-1,bridge=xenbr0,trusted=0", NULL},
	{"mac", NULL, "\"mac\" is no KEY=VALUE"},
	{"mac=", NULL, "mac= has no value"},
	{"speed=1", NULL, "unknown word speed="},
};

START_TEST(vif_forms)
{
	struct vif_config vif;
	struct fault fault = {0};
	int rc = vif_config_parse(vifs[_i].spec, "g.cfg:1: vif 0", &vif, &fault);
	char *spec;

	if (!vifs[_i].reads) {
		ck_assert_msg(rc == -EINVAL, "%s: %d", vifs[_i].spec, rc);
		ck_assert_msg(strstr(fault.text, vifs[_i].words) != NULL, "%s: %s", vifs[_i].spec,
			      fault.text);
		return;
	}
	ck_assert_msg(!rc, "%s: %s", vifs[_i].spec, fault.text);
	spec = vif_config_spec(&vif);
	ck_assert_msg(!strcmp(spec, vifs[_i].reads), "%s: %s", vifs[_i].spec, spec);
	free(spec);
	vif_config_free(&vif);
}
END_TEST

/* Devices of the host are not given to guests: each form is refused, whatever it is. */
static const char *const pcis[] = {
	"pci=['01:00.0']",
	"pci=['0000:01:00.0']",
	"pci=['36:00.0@20,seize=1']",
	"pci=['36:00.0,vslot=20,seize=1']",
	"pci=['bdf=36:00.0,vslot=20,seize=1']",
	"pci=['36:00.*,permissive=1,msitranslate=0,power_mgmt=1,rdm_policy=relaxed']",
	"pci=['name=card']",
	"pci_permissive=1",
	"pci_msitranslate=1",
	"pci_seize=1",
	"pci_power_mgmt=1",
};

START_TEST(pci_forms)
{
	char text[256], words[128];
	struct domain_config config;
	struct fault fault = {0};

	snprintf(text, sizeof(text), "name=\"g\"\ntype=\"pv\"\nkernel=\"k\"\nmemory=64\n%s\n",
		 pcis[_i]);
	snprintf(words, sizeof(words),
		 "g.cfg:5: key \"%.*s\" is not supported by this version; remove it",
		 (int)strcspn(pcis[_i], "="), pcis[_i]);
	ck_assert_int_eq(domain_config_parse("g.cfg", text, NULL, 0, &config, &fault), -EINVAL);
	ck_assert_str_eq(fault.text, words);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_specs");
	TCase *t = tcase_create("specs");

	tcase_add_loop_test(t, disk_forms, 0, TABLE_SIZE(disks));
	tcase_add_loop_test(t, vif_forms, 0, TABLE_SIZE(vifs));
	tcase_add_loop_test(t, pci_forms, 0, TABLE_SIZE(pcis));
	suite_add_tcase(suite, t);
	return check_main(suite);
}
