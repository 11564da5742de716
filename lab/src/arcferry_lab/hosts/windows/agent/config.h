/* `config`: the local settings that an administrator can change. */
#ifndef CONFIG_H
#define CONFIG_H

#include "options.h"

/* list, get, set or clear; AZCM0023 for an unknown property or value, AZCM0016 for a missing one. */
void config(const struct options *options);

#endif
