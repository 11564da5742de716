/* The calls that the agent makes: Entra, ARM and HIS. Each ends the process with its code where it fails. */
#ifndef AZURE_H
#define AZURE_H

#include "clouds.h"
#include "options.h"

struct arm {
    const struct network *network;
    const struct cloud *cloud;
    const char *token, *correlation;
};

/* The token that was given, or one for the service principal that was given (AZCM0041). */
char *access_token(const struct network *network, const struct cloud *cloud, const struct options *options);

/* The resource, NULL where there is none (AZCM0012, AZCM0042). */
struct json *arm_get(const struct arm *arm, const char *resource_id);
/* Creates or updates it (AZCM0012, AZCM0042; AZCM0044 where another machine holds the name). */
struct json *arm_put(const struct arm *arm, const char *resource_id, const struct json *document);
/* One that is gone already is as good (AZCM0012, AZCM0043). */
void arm_delete(const struct arm *arm, const char *resource_id);

/* The machine's own certificate and key, from its region's HIS (AZCM0081). */
struct json *identity_certificate(const struct arm *arm, const char *his, const char *resource_id);

/* Sends one heartbeat and records its outcome; false where it was not accepted. */
bool beat(const struct network *network);

#endif
