#include "toolstack/config/privilege.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/number.h"

const enum domain_option privilege_options[] = {OPTION_IOPORTS, OPTION_IOMEM, OPTION_IRQS};
const size_t privilege_option_count = sizeof(privilege_options) / sizeof(privilege_options[0]);

/* "2f8-2ff", "2f8": hexadecimal, inclusive. */
static bool ports_read(const char *text, struct privilege *privilege)
{
	unsigned first, last;
	int n = 0;

	if (sscanf(text, "%x-%x%n", &first, &last, &n) != 2 || text[n]) {
		if (sscanf(text, "%x%n", &first, &n) != 1 || text[n])
			return false;
		last = first;
	}
	*privilege = (struct privilege){.first = first, .count = (uint64_t)last - first + 1};
	return first <= last && last <= 0xffff;
}

/* "FRAME,COUNT" or "FRAME,COUNT@GUEST": hexadecimal. */
static bool frames_read(const char *text, struct privilege *privilege)
{
	uint64_t first, count, guest = PRIVILEGE_SAME;
	int n = 0;

	if (sscanf(text, "%" SCNx64 ",%" SCNx64 "%n", &first, &count, &n) != 2)
		return false;
	if (text[n] == '@') {
		int more = 0;

		if (sscanf(text + n, "@%" SCNx64 "%n", &guest, &more) != 1)
			return false;
		n += more;
	}
	*privilege = (struct privilege){.first = first, .count = count, .guest = guest};
	return !text[n] && count;
}

static bool irq_read(const char *text, struct privilege *privilege)
{
	uint32_t irq;

	if (number_parse_u32(text, &irq))
		return false;
	*privilege = (struct privilege){.first = irq, .count = 1};
	return true;
}

int privilege_read(enum domain_option option, const char *text, struct privilege *privilege)
{
	bool read = option == OPTION_IOPORTS ? ports_read(text, privilege)
		    : option == OPTION_IOMEM ? frames_read(text, privilege)
					     : irq_read(text, privilege);

	return read ? 0 : -EINVAL;
}

const char *privilege_example(enum domain_option option)
{
	return option == OPTION_IOPORTS ? "2f8-2ff" : option == OPTION_IOMEM ? "fed40,1" : "5";
}
