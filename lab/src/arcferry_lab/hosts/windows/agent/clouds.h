/* The three clouds as the agent knows them, and the discovery of a region's own service. */
#ifndef CLOUDS_H
#define CLOUDS_H

#include "http.h"

/* Names of one cloud; its global service is "gbl." and `his`. */
struct cloud {
    const char *name, *login, *arm, *his, *guest_configuration;
    const char *sign_in[3];
    const char *portal;
};

/* In any letter case; ends the process with AZCM0023 where there is none. */
const struct cloud *find_cloud(const char *name);

/* A location as ARM spells it; ends the process with AZCM0020 where it cannot be one. */
char *clean_location(const char *text);

/* The region's own HIS host. NULL, or what went wrong; ends the process with AZCM0020 for an unknown location. */
char *discover(const struct network *network, const struct cloud *cloud, const char *location, char **host);

/* The hosts that `check` and `connect` test, sorted, closed by NULL; `regional_his` may be NULL. */
const char **required_hosts(const struct cloud *cloud, const char *location, const char *regional_his);

#endif
