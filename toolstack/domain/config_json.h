/*
 * config_json.h - a config as JSON.
 */
#pragma once

#include <yajl/yajl_gen.h>

#include "toolstack/config/domain_config.h"

/** config_json - a config as one object; keys as in xl.cfg(5), devices as objects. */
void config_json(yajl_gen json, const struct domain_config *config);

/** config_debug - the same on standard error, as xl(1) has it with -d. */
void config_debug(const struct domain_config *config);
