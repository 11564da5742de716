/* The agent's Windows services: himds sends the heartbeats; the two others run, and do nothing in the twin. */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>
#include <wchar.h>

#define HIMDS L"himds"
#define GC_SERVICE L"GCArcService"
#define EXTENSION_SERVICE L"ExtensionService"

/* Serves as a service where `program` is the name of one's program; false where it is not, and nothing was done. */
bool serve_as(const wchar_t *program);
/* "running", "stopped", or "unknown" where there is no such service. */
const char *service_state(const wchar_t *name);
/* All three, and waits until they run or are stopped; one that is missing, or so already, is left alone. */
void start_services(void);
void stop_services(void);

#endif
