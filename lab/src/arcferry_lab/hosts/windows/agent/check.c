#include "check.h"

#include <string.h>
#include <windows.h>
#include <wininet.h>

#include "console.h"
#include "state.h"

#define PROBE_SECONDS 5
#define MAX_CLOCK_OFFSET 120
#define MOST_QUESTIONS 10
#define NETWORK_ERROR 26

struct question {
    const struct network *network;
    const char *host;
    struct response response;
};

static DWORD WINAPI ask_endpoint(void *argument)
{
    struct question *question = argument;
    struct request request = {.method = "GET", .host = question->host, .path = "/", .seconds = PROBE_SECONDS};
    question->response = http_send(question->network, &request);
    return 0;
}

/* Loopback counts as public, because the lab's Azure lives there. */
static bool is_private(const char *address)
{
    int first = 0, second = 0;
    const char *dot = strchr(address, '.');
    first = atoi(address);
    second = dot ? atoi(dot + 1) : 0;
    return first == 10 || (first == 172 && second >= 16 && second < 32) || (first == 192 && second == 168) ||
           (first == 169 && second == 254);
}

static ULONGLONG seconds_of(const SYSTEMTIME *time)
{
    FILETIME file;
    SystemTimeToFileTime(time, &file);
    return ((ULONGLONG)file.dwHighDateTime << 32 | file.dwLowDateTime) / 10000000;
}

static void tell_clock(const char *url, const char *date)
{
    SYSTEMTIME there, here;
    GetSystemTime(&here);
    if (!*date || !InternetTimeToSystemTimeA(date, &there, 0))
        return;
    long ahead = (long)((LONGLONG)seconds_of(&here) - (LONGLONG)seconds_of(&there));
    if (labs(ahead) > MAX_CLOCK_OFFSET)
        say_error(format_text("The clock of this machine is %ld seconds ahead of %s", ahead, url), NULL);
}

static struct json *row(const struct question *question)
{
    const struct response *response = &question->response;
    struct json *row = json_object();
    char *url = format_text("https://%s", question->host);
    json_put_text(row, "endpoint", url);
    json_put_flag(row, "reachable", !response->problem);
    json_put_flag(row, "private", !response->problem && is_private(response->address));
    json_put_text(row, "tls", response->problem ? "unknown" : response->tls);
    json_put_text(row, "proxy", uses_proxy(question->network, question->host) ? "set" : "not used");
    json_put_text(row, "failure", response->problem ? response->problem : "");
    if (response->problem)
        say_debug(format_text("Checking connectivity to %s failed", url), "Error", response->problem, NULL);
    else
        say_debug(format_text("%s is available, using cryptographic protocol: %s", url, response->tls), NULL);
    tell_clock(url, response->date);
    return row;
}

struct connectivity test_endpoints(const struct network *network, const struct cloud *cloud, const char *location)
{
    struct connectivity result = {.rows = json_list(), .unreachable = copy_text("", 0)};
    struct question questions[MOST_QUESTIONS] = {0};
    HANDLE threads[MOST_QUESTIONS];
    DWORD count = 0;
    char *his = NULL, *problem = discover(network, cloud, location, &his);
    if (problem)
        say_error("Regional Service Discovery", "Error", problem, "Proxy Status",
                  *network->proxy ? "proxy is used" : "proxy is not used", NULL);
    else
        result.regional_his = his;
    for (const char **host = required_hosts(cloud, location, result.regional_his); *host; host++, count++) {
        questions[count] = (struct question){.network = network, .host = *host};
        threads[count] = CreateThread(NULL, 0, ask_endpoint, &questions[count], 0, NULL);
        if (!threads[count])
            fail(1, "no thread: %s", problem_text(GetLastError()));
    }
    WaitForMultipleObjects(count, threads, TRUE, INFINITE);
    for (DWORD at = 0; at < count; at++) {
        CloseHandle(threads[at]);
        if (questions[at].response.problem)
            result.unreachable = format_text("%s%shttps://%s", result.unreachable, *result.unreachable ? ", " : "",
                                             questions[at].host);
        json_put(result.rows, NULL, row(&questions[at]));
    }
    result.passed = result.regional_his && !*result.unreachable;
    if (!result.passed && !*result.unreachable)
        result.unreachable = format_text("https://gbl.%s", cloud->his);
    return result;
}

void say_testing(void)
{
    say_info("Testing connectivity to endpoints that are needed to connect to Azure... This might take a few "
             "minutes.",
             NULL);
}

static const char *yes(bool flag)
{
    return flag ? "true" : "false";
}

/* The pipe-separated table of azcmagent 1.33 and later. */
static void print_table(const struct json *rows)
{
    int width = (int)strlen("ENDPOINT") + 2;
    for (const struct json *row = rows->first; row; row = row->next) {
        int length = (int)strlen(json_text(row, "endpoint")) + 2;
        width = length > width ? length : width;
    }
    print_line(format_text("%-*s|%-11s|%-9s|%-9s|PROXY", width, "ENDPOINT", "REACHABLE", "PRIVATE", "TLS"));
    for (const struct json *row = rows->first; row; row = row->next)
        print_line(format_text("%-*s|%-11s|%-9s|%-9s|%s", width, json_text(row, "endpoint"),
                               yes(json_flag(row, "reachable")), yes(json_flag(row, "private")),
                               json_text(row, "tls"), json_text(row, "proxy")));
}

int check(const struct options *options)
{
    struct json *connection = state_json(AGENT_CONFIG);
    const char *location = option(options, "location"), *cloud = option(options, "cloud");
    if (!*location && !*cloud)
        location = json_text(connection, "location");
    if (!*location)
        fail(16, "required flag(s) \"location\" not set%s", *cloud ? "" : ", and this machine is not connected");
    if (!*cloud)
        cloud = *json_text(connection, "cloud") ? json_text(connection, "cloud") : "AzureCloud";
    const struct cloud *known = find_cloud(cloud);
    location = clean_location(location);
    struct network network = load_network();
    say_testing();
    struct connectivity result = test_endpoints(&network, known, location);
    if (console.as_json) {
        struct json *document = json_object();
        json_put(document, "endpoints", result.rows);
        json_put_flag(document, "passed", result.passed);
        print_json(document);
    } else {
        print_table(result.rows);
    }
    if (result.passed)
        say_debug("All endpoints needed to connect to Azure are available.", NULL);
    return result.passed ? 0 : NETWORK_ERROR;
}
