/* Where the agent keeps things: below %ProgramData%\AzureConnectedMachineAgent, as Microsoft's agent does. */
#ifndef STATE_H
#define STATE_H

#include "json.h"

#define AGENT_CONFIG "Config\\agentconfig.json"
#define LOCAL_CONFIG "Config\\localconfig.json"
#define HEARTBEAT "Config\\heartbeat.json"
#define VM_ID "Config\\vmid"
#define CERTIFICATE "Certs\\myCert.pem"
#define PRIVATE_KEY "Certs\\myKey.pem"
#define AGENT_LOG "Log\\azcmagent.log"
#define HIMDS_LOG "Log\\himds.log"

enum access { FOR_EVERYBODY, FOR_ADMINISTRATORS };

/* The full path of one of the names above. */
char *state_path(const char *name);

/* %ProgramData%\arcferry-lab.json: how this host reaches the lab's Azure; NULL where there is none. */
struct json *lab_settings(void);

/* A file of at most 16 MiB; false where it cannot be read, and GetLastError says why. */
bool read_file(const char *path, struct text *content);

/* One of the names above as an object; NULL where the file is missing or holds anything else. */
struct json *state_json(const char *name);

/* Replace a file as a whole; false where that failed, and GetLastError says why. */
bool state_write(const char *name, const char *data, size_t length, enum access access);
bool state_write_json(const char *name, const struct json *value);
void state_remove(const char *name);

/* Add to a log; one that cannot be written stops nothing. */
void state_append(const char *path, const char *line);

/* This host's id: made once, kept through disconnect, upgrade and uninstall. */
char *vm_id(void);
char *new_guid(void);

/* The system's words for an error of Windows. */
char *problem_text(unsigned long error);

#endif
