/* The config before a saved domain's stream; see save.h. */
#include <errno.h>

#include "toolstack/domain/save.h"

/* What its memory is full of cannot be another kind of guest, and it knows itself by its UUID. */
static int other_check(const struct domain_config *own, struct domain_config *other,
		       struct fault *fault)
{
	char place[256];

	if (other->type != own->type)
		return fault_set(fault, -EINVAL, "%s: type=\"%s\", but the guest is \"%s\"",
				 other->source, domain_type_word(other->type),
				 domain_type_word(own->type));
	if (!other->uuid_given) {
		uuid_copy(other->uuid, own->uuid);
	} else if (uuid_compare(other->uuid, own->uuid)) {
		domain_config_place(other, other->uuid_line, place, sizeof(place));
		return fault_set(fault, -EINVAL, "%s: uuid= is not that of the guest; leave it out",
				 place);
	}
	return 0;
}

static int head_print(const struct save_as *as, uint16_t domid, struct domain_config config,
		      char **text, struct fault *fault)
{
	if (as->same_domid)
		config.option[OPTION_DOMID] = (struct option_value){.given = true, .number = domid};
	*text = domain_config_print(&config);
	return *text ? 0 : fault_memory(fault);
}

int save_head(const struct save_as *as, uint16_t domid, const struct domain_config *config,
	      char **text, struct fault *fault)
{
	struct domain_config other;
	int rc;

	if (!as->config_file)
		return head_print(as, domid, *config, text, fault);
	rc = domain_config_read(as->config_file, NULL, 0, &other, fault);
	if (rc)
		return rc;
	rc = other_check(config, &other, fault);
	if (!rc)
		rc = head_print(as, domid, other, text, fault);
	domain_config_free(&other);
	return rc;
}
