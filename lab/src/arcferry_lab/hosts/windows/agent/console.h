/* What the agent says: lines for people, JSON for programs, and logrus lines in its log. Never a secret. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "json.h"

/* The common flags: `--json` keeps information lines back, `--log-stderr` sends lines there. */
struct console {
    bool as_json, verbose, to_stderr;
};

extern struct console console;

/* Lines with fields: pairs of name and value up to a NULL. */
void say_info(const char *message, ...) __attribute__((sentinel));
void say_debug(const char *message, ...) __attribute__((sentinel));
void say_error(const char *message, ...) __attribute__((sentinel));

/* What the command was asked for, on stdout. */
void print_line(const char *line);
void print_json(const struct json *value);

/* Lines of a log that is not the command line's own, such as himds.log. */
void log_to(const char *path, const char *level, const char *message, ...) __attribute__((sentinel));

/* Ends the process with the number of an AZCM code. */
_Noreturn void fail(int number, const char *format, ...) PRINTF(2, 3);

/* The time now, as RFC 3339 in UTC. */
char *now_text(void);

#endif
