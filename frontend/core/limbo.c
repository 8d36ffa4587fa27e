#include "frontend/core/limbo.h"

int limbo_share(struct platform *platform, uint16_t domid, uint32_t pages, bool readonly,
		struct platform_area **area)
{
	if (limbo_retry(platform) + pages > LIMBO_PAGES_MAX)
		return -EBUSY;
	return platform->ops->area_share(platform, domid, pages, readonly, area);
}

void limbo_drop(struct platform *platform, struct platform_area **area)
{
	struct platform_area *dropped = *area;

	*area = NULL;
	if (!dropped || !platform->ops->area_revoke(platform, dropped))
		return;
	dropped->next = platform->limbo;
	platform->limbo = dropped;
	platform->limbo_pages += dropped->pages;
}

uint32_t limbo_retry(struct platform *platform)
{
	struct platform_area **link = &platform->limbo;

	while (*link) {
		struct platform_area *area = *link, *next = area->next;
		uint32_t pages = area->pages;

		if (platform->ops->area_revoke(platform, area)) {
			link = &area->next;
			continue;
		}
		*link = next;
		platform->limbo_pages -= pages;
	}
	return platform->limbo_pages;
}
