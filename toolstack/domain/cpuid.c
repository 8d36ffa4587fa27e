#include "toolstack/domain/cpuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "toolstack/late_xlutil.h"

static int word_refused(const struct domain_config *config, const char *word, struct fault *fault)
{
	char place[256];

	option_place(config, OPTION_CPUID, place, sizeof(place));
	return fault_set(fault, -EINVAL, "%s: cpuid: \"%s\" is not known; see xl.cfg(5)", place,
			 word);
}

/* "host,htt=0": the first word says which form it is and is no policy. */
static int words_take(const struct domain_config *config, const char *text,
		      libxl_cpuid_policy_list *list, struct fault *fault)
{
	char *copy = strdup(text), *rest = copy, *word;
	int rc = copy ? 0 : fault_memory(fault);

	if (copy && strncmp(copy, "host", 4) != 0)
		rc = fault_set(fault, -EINVAL,
			       "%s: cpuid=\"%s\" does not begin with \"host\"; see xl.cfg(5)",
			       config->source, text);
	while (!rc && (word = strsep(&rest, ",")))
		if (*word && strcmp(word, "host") != 0 && libxl_cpuid_parse_config(list, word))
			rc = word_refused(config, word, fault);
	free(copy);
	return rc;
}

static int leaves_take(const struct domain_config *config, char *const *texts, size_t count,
		       libxl_cpuid_policy_list *list, struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		if (libxl_cpuid_parse_config_xend(list, texts[i]))
			return word_refused(config, texts[i], fault);
	return 0;
}

static int text_copy(yajl_val of, const char *key, char **copy)
{
	const char *const path[] = {key, NULL};
	yajl_val value = yajl_tree_get(of, (const char **)path, yajl_t_string);

	*copy = value ? strdup(value->u.string) : NULL;
	return value && !*copy ? -ENOMEM : 0;
}

static uint32_t number_of(yajl_val of, const char *key, uint32_t otherwise)
{
	const char *const path[] = {key, NULL};
	yajl_val value = yajl_tree_get(of, (const char **)path, yajl_t_number);

	return value ? (uint32_t)YAJL_GET_INTEGER(value) : otherwise;
}

static int leaf_add(yajl_val from, struct xen_cpuid *cpuid)
{
	static const char *const registers[] = {"eax", "ebx", "ecx", "edx"};
	struct xen_leaf leaf = {.leaf = number_of(from, "leaf", 0),
				.subleaf = number_of(from, "subleaf", UINT32_MAX)};
	struct xen_leaf *grown = realloc(cpuid->leaf, (cpuid->leaves + 1) * sizeof(*grown));
	int rc = grown ? 0 : -ENOMEM;

	for (int i = 0; i < 4 && !rc; i++)
		rc = text_copy(from, registers[i], &leaf.policy[i]);
	if (grown) {
		cpuid->leaf = grown;
		grown[cpuid->leaves++] = leaf;
	}
	return rc;
}

static int msr_add(yajl_val from, struct xen_cpuid *cpuid)
{
	struct xen_msr msr = {.index = number_of(from, "index", 0)};
	struct xen_msr *grown = realloc(cpuid->msr, (cpuid->msrs + 1) * sizeof(*grown));
	char *policy = NULL;
	int rc = grown ? text_copy(from, "policy", &policy) : -ENOMEM;

	if (policy)
		snprintf(msr.policy, sizeof(msr.policy), "%s", policy);
	free(policy);
	if (grown) {
		cpuid->msr = grown;
		grown[cpuid->msrs++] = msr;
	}
	return rc;
}

static int array_take(yajl_val tree, const char *key, struct xen_cpuid *cpuid,
		      int (*add)(yajl_val from, struct xen_cpuid *cpuid))
{
	const char *const path[] = {key, NULL};
	yajl_val array = yajl_tree_get(tree, (const char **)path, yajl_t_array);
	int rc = 0;

	for (size_t i = 0; array && i < array->u.array.len && !rc; i++)
		rc = add(array->u.array.values[i], cpuid);
	return rc;
}

/* libxl keeps its list to itself, but tells it as JSON. */
static int list_take(libxl_cpuid_policy_list *list, struct xen_cpuid *cpuid)
{
	yajl_gen gen = yajl_gen_alloc(NULL);
	const unsigned char *text = NULL;
	yajl_val tree = NULL;
	size_t length = 0;
	int rc = -ENOMEM;

	if (gen && libxl_cpuid_policy_list_gen_json(gen, list) == yajl_gen_status_ok &&
	    yajl_gen_get_buf(gen, &text, &length) == yajl_gen_status_ok)
		tree = yajl_tree_parse((const char *)text, NULL, 0);
	if (tree) {
		rc = array_take(tree, "cpuid", cpuid, leaf_add);
		if (!rc)
			rc = array_take(tree, "msr", cpuid, msr_add);
		yajl_tree_free(tree);
	}
	if (gen)
		yajl_gen_free(gen);
	return rc;
}

int cpuid_parse(const struct domain_config *config, struct xen_cpuid *cpuid, struct fault *fault)
{
	const struct option_value *value = &config->option[OPTION_CPUID];
	libxl_cpuid_policy_list list = NULL;
	int rc;

	*cpuid = (struct xen_cpuid){0};
	if (!value->given)
		return 0;
	rc = value->alone ? words_take(config, value->list[0], &list, fault)
			  : leaves_take(config, value->list, value->count, &list, fault);
	if (!rc && list_take(&list, cpuid))
		rc = fault_memory(fault);
	libxl_cpuid_dispose(&list);
	if (rc)
		cpuid_free(cpuid);
	return rc;
}

void cpuid_free(struct xen_cpuid *cpuid)
{
	for (size_t i = 0; i < cpuid->leaves; i++)
		for (int n = 0; n < 4; n++)
			free(cpuid->leaf[i].policy[n]);
	free(cpuid->leaf);
	free(cpuid->msr);
	*cpuid = (struct xen_cpuid){0};
}
