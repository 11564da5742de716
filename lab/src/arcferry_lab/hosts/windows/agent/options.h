/* Options from the command line and from `--config FILE`; the command line wins. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "json.h"

struct options {
    const char *command;
    struct json *values;
    char **words; /* what is no option, after the command, closed by NULL */
};

/* Reads everything; ends the process with AZCM0019 or AZCM0023 where it cannot. */
void read_options(struct options *options, int count, char **arguments);

/* Trimmed; "" where it is not given. */
char *option(const struct options *options, const char *name);
bool option_flag(const struct options *options, const char *name);
/* Ends the process with AZCM0016 where one of these, up to a NULL, is missing. */
void need_options(const struct options *options, ...) __attribute__((sentinel));

/* `--tags "k=v,k2='v 2'"`, or an object in the config file. */
struct json *option_tags(const struct options *options);

#endif
