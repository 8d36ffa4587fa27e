/*
 * xsplit-embedded - a command in a fresh little host that has no hypervisor.
 */
#include "embedded/launcher/exec.h"
#include "embedded/launcher/options.h"
#include "embedded/launcher/watch.h"
#include "lib/log.h"

int main(int argc, char **argv)
{
	struct options options;

	log_open("xsplit-embedded", LOG_LEVEL_WARN);
	options_parse(&options, argc, argv);
	return options.exec ? exec_run(&options) : watch_run(&options);
}
