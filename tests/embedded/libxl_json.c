/* libxl-json FILE - what we would keep of this config for libxl (toolstack/domain/libxl_json.h). */
#include <stdio.h>
#include <stdlib.h>

#include "toolstack/domain/libxl_json.h"

int main(int argc, char **argv)
{
	struct domain_config config;
	struct fault fault = {0};
	char *text;

	if (argc != 2 || domain_config_read(argv[1], NULL, 0, &config, &fault)) {
		fprintf(stderr, "libxl-json: %s\n", argc == 2 ? fault.text : "FILE");
		return 1;
	}
	text = libxl_json(&config);
	if (text)
		fputs(text, stdout);
	free(text);
	domain_config_free(&config);
	return !text;
}
