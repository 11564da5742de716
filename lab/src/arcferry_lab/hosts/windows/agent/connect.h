/* `connect` and `disconnect`, in the order in which azcmagent does things. */
#ifndef CONNECT_H
#define CONNECT_H

#include "options.h"

/* Ends the process with AZCM0018 for anybody but an administrator. */
void need_administrator(const char *command);

void connect_machine(const struct options *options);
void disconnect_machine(const struct options *options);

#endif
