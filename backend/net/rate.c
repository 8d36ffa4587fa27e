/* How many bytes a guest may send by now: see rate.h. */
#include "backend/net/rate.h"

#include <errno.h>
#include <string.h>

#include "lib/number.h"

/* What one packet can owe. */
#define DEBT_MAX_NS (3600ull * 1000000000)

int net_rate_parse(const char *text, struct net_rate *rate)
{
	size_t length = strcspn(text, ",");
	uint64_t bytes, interval_us;
	char digits[24];

	if (!text[length] || length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (number_parse(digits, UINT64_MAX, &bytes) ||
	    number_parse(text + length + 1, UINT32_MAX, &interval_us))
		return -EINVAL;
	*rate = (struct net_rate){0};
	if (bytes && interval_us)
		*rate = (struct net_rate){.bytes = bytes, .interval_ns = interval_us * 1000};
	return 0;
}

uint64_t net_rate_wait(const struct net_rate *rate, uint64_t now)
{
	uint64_t owed = rate->paid_ns > now ? rate->paid_ns - now : 0;

	return rate->bytes && owed >= rate->interval_ns ? owed - rate->interval_ns + 1 : 0;
}

void net_rate_take(struct net_rate *rate, uint64_t length, uint64_t now)
{
	unsigned __int128 cost;

	if (!rate->bytes)
		return;
	cost = (unsigned __int128)length * rate->interval_ns / rate->bytes;
	if (rate->paid_ns < now)
		rate->paid_ns = now;
	rate->paid_ns += cost < DEBT_MAX_NS ? (uint64_t)cost : DEBT_MAX_NS;
}
