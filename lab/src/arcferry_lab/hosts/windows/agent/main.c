/* The lab's twin of azcmagent for Windows: its commands, outputs and exit codes, against the lab's Azure.

   Its services are the same program under other names. Left out: what they do but heartbeats, `logs`, extensions, private link, and every way to sign in but a token and a
   service principal's secret. It is no product of Microsoft and of no use outside the lab. */
#include <string.h>
#include <winsock2.h>

#include "check.h"
#include "config.h"
#include "connect.h"
#include "console.h"
#include "options.h"
#include "service.h"
#include "show.h"

static void print_version(void)
{
    struct json *document = json_object();
    json_put_text(document, "version", AGENT_VERSION);
    if (console.as_json)
        print_json(document);
    else
        print_line("azcmagent version " AGENT_VERSION);
}

static void print_help(void)
{
    print_line("The lab's twin of azcmagent.\n\nUsage: azcmagent COMMAND [OPTIONS]\n\n"
               "Commands: check, config, connect, disconnect, help, show, version");
}

static int run(const struct options *options)
{
    const char *command = options->command;
    bool takes_words = strcmp(command, "show") == 0 || strcmp(command, "config") == 0;
    if (*options->words && !takes_words)
        fail(23, "too many arguments");
    if (strcmp(command, "check") == 0)
        return check(options);
    if (strcmp(command, "connect") == 0)
        connect_machine(options);
    else if (strcmp(command, "disconnect") == 0)
        disconnect_machine(options);
    else if (strcmp(command, "show") == 0)
        show(options);
    else if (strcmp(command, "config") == 0)
        config(options);
    else if (strcmp(command, "version") == 0)
        print_version();
    else
        print_help();
    return 0;
}

int wmain(int count, wchar_t **wide)
{
    struct options options;
    WSADATA sockets;
    wchar_t program[MAX_PATH];
    if (GetModuleFileNameW(NULL, program, MAX_PATH) && serve_as(program))
        return 0;
    char **arguments = allocate(sizeof *arguments * (size_t)(count + 1));
    for (int at = 0; at < count; at++)
        arguments[at] = narrow(wide[at]);
    if (WSAStartup(MAKEWORD(2, 2), &sockets) != 0)
        fail(1, "Windows Sockets cannot be used");
    read_options(&options, count, arguments);
    console.as_json = option_flag(&options, "json");
    console.verbose = option_flag(&options, "verbose");
    console.to_stderr = option_flag(&options, "log-stderr");
    return run(&options);
}
