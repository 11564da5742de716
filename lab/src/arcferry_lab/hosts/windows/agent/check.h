/* The connectivity check: every required endpoint at once, printed as azcmagent's table. */
#ifndef CHECK_H
#define CHECK_H

#include "clouds.h"
#include "options.h"

/* `regional_his` is NULL where discovery failed; `unreachable` lists URLs, "" where all answered. */
struct connectivity {
    struct json *rows;
    char *regional_his, *unreachable;
    bool passed;
};

void say_testing(void);
struct connectivity test_endpoints(const struct network *network, const struct cloud *cloud, const char *location);

/* The `check` command; its exit code. */
int check(const struct options *options);

#endif
