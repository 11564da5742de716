#include "connect.h"

#include <ctype.h>
#include <string.h>
#include <windows.h>
#include <shlobj.h>

#include "azure.h"
#include "check.h"
#include "console.h"
#include "host.h"
#include "service.h"
#include "state.h"

#define NAMESPACE "Microsoft.HybridCompute"
#define LONGEST_MACHINE_NAME 54
#define BAR 20

/* The machine that this host shall become. */
struct target {
    char *subscription, *group, *tenant, *name, *location, *scope, *gateway, *resource_id, *page;
    const struct cloud *cloud;
};

void need_administrator(const char *command)
{
    if (!IsUserAnAdmin())
        fail(18, "azcmagent %s must be run as administrator", command);
}

/* Letters, digits, ".", "_" and "-"; no hyphen first, none of the three last. */
static bool is_machine_name(const char *name)
{
    size_t length = strlen(name);
    if (!length || length > LONGEST_MACHINE_NAME || *name == '-' || strchr("-_.", name[length - 1]))
        return false;
    for (; *name; name++)
        if ((unsigned char)*name > 127 || !(isalnum((unsigned char)*name) || strchr("._-", *name)))
            return false;
    return true;
}

static struct target read_target(const struct options *options)
{
    need_options(options, "subscription-id", "resource-group", "tenant-id", "location", NULL);
    struct target target = {
        .subscription = option(options, "subscription-id"),
        .group = option(options, "resource-group"),
        .tenant = option(options, "tenant-id"),
        .name = option(options, "resource-name"),
        .scope = option(options, "private-link-scope"),
        .gateway = option(options, "gateway-id"),
    };
    if (!*target.name)
        target.name = host_name();
    if (!is_machine_name(target.name))
        fail(102, "resource name '%s' has letters that Azure does not allow, or over 54", target.name);
    target.location = clean_location(option(options, "location"));
    const char *cloud = option(options, "cloud");
    target.cloud = find_cloud(*cloud ? cloud : "AzureCloud");
    target.resource_id = format_text("/subscriptions/%s/resourceGroups/%s/providers/" NAMESPACE "/machines/%s",
                                     target.subscription, target.group, target.name);
    target.page = format_text("%s/#@%s/resource%s/overview", target.cloud->portal, target.tenant, target.resource_id);
    return target;
}

static void progress(int percent)
{
    char bar[BAR + 1] = "                    ";
    int done = BAR * percent / 100;
    memset(bar, '=', (size_t)done);
    if (done < BAR)
        bar[done ? done - 1 : 0] = '>';
    if (!console.as_json)
        print_line(format_text("  %3d%% [%s]", percent, bar));
}

/* The region's HIS host, once everything that is required has answered. */
static char *reachable(const struct network *network, const struct target *target, const struct options *options)
{
    if (option_flag(options, "ignore-network-check")) {
        char *his = NULL, *problem = discover(network, target->cloud, target->location, &his);
        if (problem)
            fail(26, "Regional Service Discovery: %s", problem);
        return his;
    }
    say_testing();
    struct connectivity result = test_endpoints(network, target->cloud, target->location);
    if (!result.passed)
        fail(26, "required endpoints unavailable: %s", result.unreachable);
    return result.regional_his;
}

static struct json *create_machine(const struct arm *arm, const struct target *target, struct json *tags)
{
    say_info("Creating resource in Azure...", "Correlation ID", arm->correlation, "Resource ID",
             target->resource_id, NULL);
    struct json *existing = arm_get(arm, target->resource_id);
    const char *holder = json_text(json_get(existing, "properties"), "vmId");
    if (*holder && !same_word(holder, vm_id()))
        fail(44, "resource %s exists and belongs to another machine (VM ID %s)", target->resource_id, holder);
    struct json *document = json_object();
    json_put_text(document, "location", target->location);
    json_put_text(json_put(document, "identity", json_object()), "type", "SystemAssigned");
    json_put(document, "tags", tags);
    struct json *properties = json_put(document, "properties", machine_properties());
    if (*target->scope)
        json_put_text(properties, "privateLinkScopeResourceId", target->scope);
    struct json *created = arm_put(arm, target->resource_id, document);
    say_debug("ARM Resource Creation Successful", "Resource ID", target->resource_id, NULL);
    return created;
}

static void store_text(const char *name, const char *text)
{
    if (!state_write(name, text, strlen(text), FOR_ADMINISTRATORS))
        fail(106, "agent configuration could not be saved: %s", problem_text(GetLastError()));
}

/* Certificate first: the record's presence means that everything else is there. */
static void store(const struct target *target, const char *his, const struct arm *arm, const struct json *created,
                  const struct json *certificate)
{
    struct json *record = json_object();
    json_put_text(record, "subscriptionId", target->subscription);
    json_put_text(record, "resourceGroup", target->group);
    json_put_text(record, "resourceName", target->name);
    json_put_text(record, "resourceId", target->resource_id);
    json_put_text(record, "tenantId", target->tenant);
    json_put_text(record, "location", target->location);
    json_put_text(record, "cloud", target->cloud->name);
    json_put_text(record, "privateLinkScope", target->scope);
    json_put_text(record, "gatewayId", target->gateway);
    json_put_text(record, "vmId", vm_id());
    json_put_text(record, "vmUuid", json_text(json_get(created, "properties"), "vmUuid"));
    json_put_text(record, "namespace", NAMESPACE);
    json_put_text(record, "correlationId", arm->correlation);
    json_put_text(record, "principalId", json_text(json_get(created, "identity"), "principalId"));
    json_put_text(record, "hisHost", his);
    json_put_text(record, "certificateNotAfter", json_text(certificate, "notAfter"));
    store_text(CERTIFICATE, json_text(certificate, "certificate"));
    store_text(PRIVATE_KEY, json_text(certificate, "privateKey"));
    if (!state_write_json(AGENT_CONFIG, record))
        fail(106, "agent configuration could not be saved: %s", problem_text(GetLastError()));
}

static void tell_success(const struct target *target)
{
    say_info("Connected machine to Azure", NULL);
    say_info(format_text("Machine overview page: %s", target->page), NULL);
    if (!console.as_json)
        return;
    struct json *document = json_object();
    json_put_text(document, "status", "success");
    json_put_text(document, "resourceId", target->resource_id);
    json_put_text(document, "vmId", vm_id());
    json_put_text(document, "portalUrl", target->page);
    print_json(document);
}

void connect_machine(const struct options *options)
{
    need_administrator("connect");
    struct target target = read_target(options);
    struct json *tags = option_tags(options), *known = state_json(AGENT_CONFIG);
    if (known)
        fail(67, "machine is already connected as %s", json_text(known, "resourceName"));
    struct network network = load_network();
    say_info("Connecting machine to Azure... This might take a few minutes.", NULL);
    say_info(format_text("Cloud: %s", target.cloud->name), NULL);
    char *his = reachable(&network, &target, options);
    progress(20);
    const char *correlation = option(options, "correlation-id");
    struct arm arm = {&network, target.cloud, access_token(&network, target.cloud, options),
                      *correlation ? correlation : new_guid()};
    progress(30);
    struct json *created = create_machine(&arm, &target, tags);
    progress(60);
    struct json *certificate = identity_certificate(&arm, his, target.resource_id);
    progress(80);
    store(&target, his, &arm, created, certificate);
    if (!beat(&network))
        say_error("The first heartbeat was not accepted", NULL);
    start_services();
    progress(100);
    tell_success(&target);
}

void disconnect_machine(const struct options *options)
{
    need_administrator("disconnect");
    struct json *known = state_json(AGENT_CONFIG);
    if (!known) {
        say_info("Machine is not connected to Azure", NULL);
        return;
    }
    if (!option_flag(options, "force-local-only")) {
        struct network network = load_network();
        const char *resource_id = json_text(known, "resourceId");
        say_info("Disconnecting agent...", NULL);
        const struct cloud *cloud = find_cloud(json_text(known, "cloud"));
        struct arm arm = {&network, cloud, access_token(&network, cloud, options), json_text(known, "correlationId")};
        arm_delete(&arm, resource_id);
        say_info("Deleted resource in Azure", "Resource ID", resource_id, NULL);
    }
    stop_services();
    static const char *const kept[] = {AGENT_CONFIG, CERTIFICATE, PRIVATE_KEY, HEARTBEAT, NULL};
    for (const char *const *name = kept; *name; name++)
        state_remove(*name);
    say_info("Successfully disconnected the machine", NULL);
    if (!console.as_json)
        return;
    struct json *document = json_object();
    json_put_text(document, "status", "success");
    print_json(document);
}
