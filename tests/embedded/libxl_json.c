/*
 * libxl-json FILE - what we keep of this config for libxl (toolstack/domain/libxl_json.h).
 * libxl-json --libxl - what libxl makes of such a text, from standard input.
 */
#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/domain/libxl_json.h"

static char *ours(const char *path)
{
	static const struct cpulist_host host = {.cpus = 2};
	struct domain_config config;
	struct fault fault = {0};
	char *text;

	if (domain_config_read(path, NULL, 0, &config, &fault)) {
		fprintf(stderr, "libxl-json: %s\n", fault.text);
		return NULL;
	}
	text = libxl_json(&config, &host);
	domain_config_free(&config);
	return text;
}

static char *libxls(void)
{
	xentoollog_logger *log =
		(xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
	char given[1 << 16], *text = NULL;
	libxl_domain_config config;
	libxl_ctx *ctx = NULL;

	given[fread(given, 1, sizeof(given) - 1, stdin)] = '\0';
	libxl_domain_config_init(&config);
	if (!libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, log) &&
	    !libxl_domain_config_from_json(ctx, &config, given))
		text = libxl_domain_config_to_json(ctx, &config);
	libxl_domain_config_dispose(&config);
	libxl_ctx_free(ctx);
	xtl_logger_destroy(log);
	return text;
}

int main(int argc, char **argv)
{
	char *text;

	if (argc != 2)
		return 2;
	text = strcmp(argv[1], "--libxl") != 0 ? ours(argv[1]) : libxls();
	if (text)
		fputs(text, stdout);
	free(text);
	return !text;
}
