#include "show.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "clouds.h"
#include "console.h"
#include "host.h"
#include "service.h"
#include "state.h"

#define WIDTH 40
#define MISSED_SECONDS (15 * 60)

/* The key of the JSON document, and the name in the text. */
static const struct {
    const char *key, *label;
} fields[] = {
    {"resourceName", "Resource Name"},
    {"resourceGroup", "Resource Group Name"},
    {"resourceNamespace", "Resource Namespace"},
    {"resourceId", "Resource Id"},
    {"subscriptionId", "Subscription ID"},
    {"tenantId", "Tenant ID"},
    {"vmId", "VM ID"},
    {"correlationId", "Correlation ID"},
    {"vmUuid", "VM UUID"},
    {"location", "Location"},
    {"cloud", "Cloud"},
    {"agentVersion", "Agent Version"},
    {"agentLogfile", "Agent Logfile"},
    {"status", "Agent Status"},
    {"lastHeartbeat", "Agent Last Heartbeat"},
    {"agentErrorCode", "Agent Error Code"},
    {"agentErrorDetails", "Agent Error Details"},
    {"agentErrorTimestamp", "Agent Error Timestamp"},
    {"httpsProxy", "Using HTTPS Proxy"},
    {"proxyBypassList", "Proxy Bypass List"},
    {"cloudProvider", "Cloud Provider"},
    {"cloudMetadata", "Cloud Metadata"},
    {"manufacturer", "Manufacturer"},
    {"model", "Model"},
    {"mssqlDiscovered", "MSSQL Server Detected"},
    {"dependentServiceStatus", "Dependent Service Status"},
    {"portalPage", "Portal Page"},
    {"disabledFeatures", "Disabled Features"},
    {"osName", "OS Name"},
};
#define FIELDS (sizeof fields / sizeof *fields)

static LONGLONG seconds_since(const char *text)
{
    SYSTEMTIME then = {0}, now;
    FILETIME past, present;
    int year, month, day, hour, minute, second;
    if (sscanf(text, "%d-%d-%dT%d:%d:%dZ", &year, &month, &day, &hour, &minute, &second) != 6)
        return MISSED_SECONDS;
    then.wYear = (WORD)year;
    then.wMonth = (WORD)month;
    then.wDay = (WORD)day;
    then.wHour = (WORD)hour;
    then.wMinute = (WORD)minute;
    then.wSecond = (WORD)second;
    GetSystemTime(&now);
    if (!SystemTimeToFileTime(&then, &past) || !SystemTimeToFileTime(&now, &present))
        return MISSED_SECONDS;
    LONGLONG from = (LONGLONG)past.dwHighDateTime << 32 | past.dwLowDateTime;
    LONGLONG to = (LONGLONG)present.dwHighDateTime << 32 | present.dwLowDateTime;
    return (to - from) / 10000000;
}

static struct json *service_states(void)
{
    struct json *states = json_object();
    json_put_text(states, "Agent Service (himds)", service_state(HIMDS));
    json_put_text(states, "Azure Arc Proxy (arcproxy)", "stopped");
    json_put_text(states, "Extension Service (extensionservice)", service_state(EXTENSION_SERVICE));
    json_put_text(states, "GC Service (gcarcservice)", service_state(GC_SERVICE));
    return states;
}

static void add_known(struct json *values, const struct json *record)
{
    for (size_t at = 0; at < FIELDS; at++)
        if (*json_text(record, fields[at].key))
            json_put_text(values, fields[at].key, json_text(record, fields[at].key));
}

/* Every field; those of a connection are empty where there is none. */
static struct json *facts(void)
{
    struct json *values = json_object(), *connection = state_json(AGENT_CONFIG), *local = state_json(LOCAL_CONFIG);
    struct json *bypass = json_get(local, "proxy.bypass"), *heartbeat = state_json(HEARTBEAT);
    for (size_t at = 0; at < FIELDS; at++)
        json_put_text(values, fields[at].key, "");
    add_known(values, connection);
    add_known(values, heartbeat);
    bool fresh = connection && seconds_since(json_text(heartbeat, "lastHeartbeat")) < MISSED_SECONDS;
    json_put_text(values, "status", fresh ? "Connected" : "Disconnected");
    json_put_text(values, "resourceNamespace", "Microsoft.HybridCompute");
    json_put_text(values, "agentVersion", AGENT_VERSION);
    json_put_text(values, "agentLogfile", state_path(HIMDS_LOG));
    json_put_text(values, "httpsProxy", json_text(local, "proxy.url"));
    json_put(values, "proxyBypassList", bypass && bypass->kind == JSON_LIST ? bypass : json_list());
    json_put_text(values, "cloudProvider", "N/A");
    json_put_text(values, "manufacturer", "arcferry");
    json_put_text(values, "model", "Lab host");
    json_put_text(values, "mssqlDiscovered", "false");
    json_put(values, "dependentServiceStatus", service_states());
    json_put(values, "disabledFeatures", json_list());
    json_put_text(values, "osName", windows_name());
    if (connection)
        json_put_text(values, "portalPage",
                      format_text("%s/#@%s/resource%s/overview", find_cloud(json_text(connection, "cloud"))->portal,
                                  json_text(connection, "tenantId"), json_text(connection, "resourceId")));
    return values;
}

static void print_field(const char *label, const struct json *value)
{
    struct text list = {0};
    text_put(&list, "");
    if (value->kind == JSON_OBJECT) {
        print_line(label);
        for (const struct json *item = value->first; item; item = item->next)
            print_line(format_text("  %-*s: %s", WIDTH - 2, item->key, item->text));
        return;
    }
    for (const struct json *item = value->kind == JSON_LIST ? value->first : NULL; item; item = item->next)
        text_format(&list, "%s%s", item == value->first ? "" : ",", item->kind == JSON_TEXT ? item->text : "");
    print_line(format_text("%-*s: %s", WIDTH, label, value->kind == JSON_TEXT ? value->text : list.data));
}

static size_t field(const char *name)
{
    for (size_t at = 0; at < FIELDS; at++)
        if (same_word(name, fields[at].key) || same_word(name, fields[at].label))
            return at;
    fail(23, "unknown property '%s'", name);
}

void show(const struct options *options)
{
    struct json *values = facts(), *chosen = json_object();
    bool all = !*options->words, with_os = option_flag(options, "os");
    size_t count = 0, order[FIELDS];
    for (size_t at = 0; all && at < FIELDS; at++)
        if (with_os || strcmp(fields[at].key, "osName") != 0)
            order[count++] = at;
    for (char **name = options->words; *name && count < FIELDS; name++)
        order[count++] = field(*name);
    for (size_t at = 0; at < count; at++) {
        struct json *value = json_get(values, fields[order[at]].key);
        if (!console.as_json) {
            print_field(fields[order[at]].label, value);
            continue;
        }
        struct json *copy = allocate(sizeof *copy);
        *copy = *value;
        json_put(chosen, fields[order[at]].key, copy);
    }
    if (console.as_json)
        print_json(chosen);
}
