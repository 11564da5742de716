#include "clouds.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"

#define DISCOVERY_SECONDS 5
#define MOST_HOSTS 10

/* Source: network requirements of Azure Arc-enabled servers, 2026-04-01. */
static const struct cloud clouds[] = {
    {"AzureCloud", "login.microsoftonline.com", "management.azure.com", "his.arc.azure.com",
     "guestconfiguration.azure.com", {"login.windows.net", "pas.windows.net", NULL}, "https://portal.azure.com"},
    {"AzureUSGovernment", "login.microsoftonline.us", "management.usgovcloudapi.net", "his.arc.azure.us",
     "guestconfiguration.azure.us", {"pasff.usgovcloudapi.net", NULL, NULL}, "https://portal.azure.us"},
    {"AzureChinaCloud", "login.chinacloudapi.cn", "management.chinacloudapi.cn", "his.arc.azure.cn",
     "guestconfiguration.azure.cn", {"login.partner.chinacloudapi.cn", "pas.chinacloudapi.cn", NULL},
     "https://portal.azure.cn"},
};
#define CLOUDS (sizeof clouds / sizeof *clouds)

const struct cloud *find_cloud(const char *name)
{
    for (size_t at = 0; at < CLOUDS; at++)
        if (same_word(clouds[at].name, name))
            return &clouds[at];
    fail(23, "invalid cloud '%s', valid values are: %s, %s, %s", name, clouds[0].name, clouds[1].name,
         clouds[2].name);
}

char *clean_location(const char *text)
{
    struct text location = {0};
    text_put(&location, "");
    for (const char *at = text; *at; at++) {
        char letter = (char)tolower((unsigned char)*at);
        if (letter == ' ')
            continue;
        if ((unsigned char)letter > 127 || !isalnum((unsigned char)letter))
            fail(20, "invalid location: '%s'", text);
        text_add(&location, &letter, 1);
    }
    if (!location.length)
        fail(20, "invalid location: '%s'", text);
    return location.data;
}

/* The host of a URL, which the answer holds as a JSON text or as it is. */
static char *host_in(const struct text *body)
{
    struct json *value = json_read(body->data, body->length);
    const char *url = value && value->kind == JSON_TEXT ? value->text : trimmed(body->data);
    if (strncmp(url, "https://", 8) != 0)
        return copy_text("", 0);
    return lower(copy_text(url + 8, strcspn(url + 8, ":/?")));
}

char *discover(const struct network *network, const struct cloud *cloud, const char *location, char **host)
{
    char *global = format_text("gbl.%s", cloud->his);
    char *path = format_text("/discovery?location=%s&api-version=2.1", location);
    struct request request = {.method = "GET", .host = global, .path = path, .seconds = DISCOVERY_SECONDS};
    struct response response = http_send(network, &request);
    if (response.problem)
        return response.problem;
    if (response.status >= 400 && response.status < 500)
        fail(20, "location '%s' is not valid or not supported by Azure Arc", location);
    if (response.status != 200)
        return format_text("Get \"https://%s%s\": unexpected status %d", global, path, response.status);
    *host = host_in(&response.body);
    if (!ends_with(*host, format_text(".%s", cloud->his)))
        return format_text("Get \"https://%s%s\": the answer names no service of this cloud", global, path);
    return NULL;
}

static int in_order(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

const char **required_hosts(const struct cloud *cloud, const char *location, const char *regional_his)
{
    const char **hosts = allocate(MOST_HOSTS * sizeof *hosts);
    size_t count = 0;
    hosts[count++] = format_text("agentserviceapi.%s", cloud->guest_configuration);
    hosts[count++] = format_text("%s-gas.%s", location, cloud->guest_configuration);
    hosts[count++] = format_text("gbl.%s", cloud->his);
    hosts[count++] = cloud->login;
    hosts[count++] = cloud->arm;
    for (size_t at = 0; cloud->sign_in[at]; at++)
        hosts[count++] = cloud->sign_in[at];
    if (regional_his)
        hosts[count++] = regional_his;
    qsort(hosts, count, sizeof *hosts, in_order);
    return hosts;
}
