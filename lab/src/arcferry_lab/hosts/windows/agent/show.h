/* `show`: what the agent knows about itself, for people and as JSON. */
#ifndef SHOW_H
#define SHOW_H

#include "options.h"

/* All properties, or those that the command line names; AZCM0023 where it names an unknown one. */
void show(const struct options *options);

#endif
