/* What this computer says of itself. */
#ifndef HOST_H
#define HOST_H

#include "json.h"

char *host_name(void);
/* As Windows calls itself, such as "Windows Server 2022 Standard". */
char *windows_name(void);
/* What the agent tells ARM about this host when it creates the machine. */
struct json *machine_properties(void);

#endif
