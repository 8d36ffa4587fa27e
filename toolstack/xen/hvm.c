/* Of libxenctrl, not deprecated but out of its default interface. */
#define XC_WANT_COMPAT_MAP_FOREIGN_API
#include "toolstack/xen/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/hvm/e820.h>
#include <xen/hvm/hvm_info_table.h>

/*
 * RAM ends below the hole, where the devices are, and goes on at 4 GiB. Its first MiB is the
 * firmware's to describe; the graphics card's window lies in it (libxl's VGA_HOLE).
 */
#define FOUR_GIB       (1ull << 32)
#define RAM_START      (1ull << 20)
#define VGA_HOLE_PAGES 0x20

struct hvm_machine {
	uint8_t *firmware;
	struct e820entry map[2];
};

static int whole_read(int fd, uint8_t *data, size_t size)
{
	size_t got = 0;
	ssize_t n;

	while (got < size) {
		n = read(fd, data + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : EIO;
			return -1;
		}
		got += (size_t)n;
	}
	return 0;
}

static int firmware_load(struct hvm_machine *machine, struct xc_dom_image *dom, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat))
		goto out;
	if (!S_ISREG(stat.st_mode) || stat.st_size <= 0 || stat.st_size > XEN_FIRMWARE_MAX) {
		errno = EINVAL;
		goto out;
	}
	machine->firmware = malloc((size_t)stat.st_size);
	if (!machine->firmware || whole_read(fd, machine->firmware, (size_t)stat.st_size))
		goto out;
	dom->system_firmware_module = (struct xc_hvm_firmware_module){
		.data = machine->firmware, .length = (uint32_t)stat.st_size};
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

/* libxl__build_hvm, libxl_dom.c */
static void ram_lay(struct xc_dom_image *dom, const struct xen_image *image)
{
	uint64_t bytes = (image->maxmem_kib - image->video_kib) << 10;

	dom->container_type = XC_DOM_HVM_CONTAINER;
	dom->device_model = true;
	dom->vga_hole_size = VGA_HOLE_PAGES;
	dom->target_pages = (image->memory_kib - image->video_kib) << 10 >> XC_PAGE_SHIFT;
	dom->mmio_size = HVM_BELOW_4G_MMIO_LENGTH;
	dom->mmio_start = FOUR_GIB - dom->mmio_size;
	dom->lowmem_end = bytes < dom->mmio_start ? bytes : dom->mmio_start;
	dom->highmem_end = bytes > dom->mmio_start ? FOUR_GIB + (bytes - dom->mmio_start) : 0;
}

static void map_draw(struct hvm_machine *machine, struct xc_dom_image *dom)
{
	unsigned n = 0;

	machine->map[n++] = (struct e820entry){
		.addr = RAM_START, .size = dom->lowmem_end - RAM_START, .type = E820_RAM};
	if (dom->highmem_end)
		machine->map[n++] = (struct e820entry){
			.addr = FOUR_GIB, .size = dom->highmem_end - FOUR_GIB, .type = E820_RAM};
	dom->e820 = machine->map;
	dom->e820_entries = n;
}

int hvm_machine_make(struct xc_dom_image *dom, const struct xen_image *image,
		     struct hvm_machine **out)
{
	struct hvm_machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return -1;
	*out = machine;
	ram_lay(dom, image);
	map_draw(machine, dom);
	return image->firmware ? firmware_load(machine, dom, image->firmware) : 0;
}

void hvm_machine_free(struct hvm_machine *machine)
{
	if (machine)
		free(machine->firmware);
	free(machine);
}

/* The library has filled in the memory; hvm_build_set_params, libxl_dom.c. */
int hvm_table_fill(struct xc_dom_image *dom, const struct xen_image *image)
{
	uint8_t sum = 0, *page = xc_map_foreign_range(dom->xch, dom->guest_domid, XC_PAGE_SIZE,
						      PROT_READ | PROT_WRITE, HVM_INFO_PFN);
	struct hvm_info_table *table;

	if (!page)
		return -1;
	table = (struct hvm_info_table *)(page + HVM_INFO_OFFSET);
	table->apic_mode = image->apic;
	table->nr_vcpus = image->vcpus;
	memset(table->vcpu_online, 0, sizeof(table->vcpu_online));
	for (uint32_t i = 0; i < image->vcpus_online && i < HVM_MAX_VCPUS; i++)
		table->vcpu_online[i / 8] |= (uint8_t)(1u << i % 8);
	for (uint32_t i = 0; i < table->length && i < sizeof(*table); i++)
		sum = (uint8_t)(sum + ((uint8_t *)table)[i]);
	table->checksum = (uint8_t)(table->checksum - sum);
	munmap(page, XC_PAGE_SIZE);
	return 0;
}
