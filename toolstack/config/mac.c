#include "toolstack/config/mac.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(const char *text, uint8_t mac[MAC_SIZE])
{
	uint8_t parsed[MAC_SIZE];

	for (int i = 0; i < MAC_SIZE; i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i < MAC_SIZE - 1 ? ':' : '\0'))
			return -EINVAL;
		parsed[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(mac, parsed, MAC_SIZE);
	return 0;
}

const char *mac_why_unfit(const uint8_t mac[MAC_SIZE])
{
	static const uint8_t zero[MAC_SIZE];

	if (mac[0] & 1)
		return "is a multicast address";
	if (!memcmp(mac, zero, MAC_SIZE))
		return "is all zero";
	return NULL;
}

void mac_format(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT_SIZE])
{
	snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

void mac_generate(uint8_t mac[MAC_SIZE])
{
	static const uint8_t prefix[3] = {0x00, 0x16, 0x3e};

	memcpy(mac, prefix, sizeof(prefix));
	while (getrandom(mac + 3, 3, 0) != 3)
		;
	mac[3] &= 0x7f;
}
