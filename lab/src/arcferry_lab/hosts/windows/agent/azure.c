#include "azure.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "console.h"
#include "state.h"

#define TRIES 3
#define LONGEST_WAIT 10

static char *form_field(const char *name, const char *value)
{
    return format_text("%s=%s", name, percent_encoded(value, ""));
}

static struct response ask_for_token(const struct network *network, const struct cloud *cloud,
                                     const struct options *options)
{
    char *scope = format_text("https://%s/.default", cloud->arm);
    char *form = format_text("grant_type=client_credentials&%s&%s&%s",
                             form_field("client_id", option(options, "service-principal-id")),
                             form_field("client_secret", option(options, "service-principal-secret")),
                             form_field("scope", scope));
    struct request request = {
        .method = "POST",
        .host = cloud->login,
        .path = format_text("/%s/oauth2/v2.0/token", percent_encoded(option(options, "tenant-id"), "")),
        .body = form,
        .content_type = "application/x-www-form-urlencoded",
    };
    return http_send(network, &request);
}

char *access_token(const struct network *network, const struct cloud *cloud, const struct options *options)
{
    char *given = option(options, "access-token");
    if (*given)
        return given;
    if (!*option(options, "service-principal-id") || !*option(options, "service-principal-secret"))
        fail(41, "no access token and no service principal with a secret: the twin knows no other way");
    need_options(options, "tenant-id", NULL);
    struct response response = ask_for_token(network, cloud, options);
    if (response.problem)
        fail(41, "Failed to acquire authorization token: %s", response.problem);
    struct json *document = http_object(&response);
    const char *token = json_text(document, "access_token"), *reason = json_text(document, "error_description");
    if (response.status != 200 || !*token)
        fail(41, "Failed to acquire authorization token: %s",
             *reason ? reason : format_text("httpStatusCode:%d", response.status));
    return copy_text(token, strlen(token));
}

static struct response call(const struct arm *arm, const char *method, const char *resource_id, int number,
                            const struct json *document)
{
    struct text body = {0};
    if (document)
        json_write(&body, document);
    struct request request = {
        .method = method,
        .host = arm->cloud->arm,
        .path = format_text("%s?api-version=2024-07-10", percent_encoded(resource_id, "/")),
        .token = arm->token,
        .body = body.data,
        .content_type = "application/json",
    };
    struct response response = http_send(arm->network, &request);
    for (int tries = 1; !response.problem && response.status == 429 && tries < TRIES; tries++) {
        int wait = *response.retry_after ? atoi(response.retry_after) : 1;
        Sleep(1000u * (DWORD)(wait < 0 ? 0 : wait > LONGEST_WAIT ? LONGEST_WAIT : wait));
        response = http_send(arm->network, &request);
    }
    if (response.problem)
        fail(number, "%s", response.problem);
    return response;
}

static const char *error_text(const struct response *response, const char *name)
{
    return json_text(json_get(http_object(response), "error"), name);
}

static _Noreturn void refuse(const struct arm *arm, const struct response *response, int number)
{
    fail(response->status == 401 ? 12 : number, "RequestCorrelationId:%s Message: %s Code: %s httpStatusCode:%d",
         arm->correlation, error_text(response, "message"), error_text(response, "code"), response->status);
}

static struct json *resource(const struct arm *arm, const struct response *response)
{
    struct json *document = http_object(response);
    if (!*json_text(document, "id"))
        fail(42, "https://%s answered %d with no resource in it", arm->cloud->arm, response->status);
    return document;
}

struct json *arm_get(const struct arm *arm, const char *resource_id)
{
    struct response response = call(arm, "GET", resource_id, 42, NULL);
    if (response.status == 404 && strcmp(error_text(&response, "code"), "ResourceGroupNotFound") != 0)
        return NULL;
    if (response.status != 200)
        refuse(arm, &response, 42);
    return resource(arm, &response);
}

struct json *arm_put(const struct arm *arm, const char *resource_id, const struct json *document)
{
    struct response response = call(arm, "PUT", resource_id, 42, document);
    if (response.status == 409 && strcmp(error_text(&response, "code"), "Conflict") == 0)
        refuse(arm, &response, 44);
    if (response.status != 200 && response.status != 201)
        refuse(arm, &response, 42);
    return resource(arm, &response);
}

void arm_delete(const struct arm *arm, const char *resource_id)
{
    struct response response = call(arm, "DELETE", resource_id, 43, NULL);
    if (response.status != 200 && response.status != 204 && response.status != 404)
        refuse(arm, &response, 43);
}

struct json *identity_certificate(const struct arm *arm, const char *his, const char *resource_id)
{
    struct text body = {0};
    struct json *asked = json_object();
    json_put_text(asked, "resourceId", resource_id);
    json_write(&body, asked);
    struct request request = {
        .method = "POST",
        .host = his,
        .path = format_text("/machine/%s/identity?api-version=2.1", vm_id()),
        .token = arm->token,
        .body = body.data,
        .content_type = "application/json",
    };
    struct response response = http_send(arm->network, &request);
    if (response.problem)
        fail(81, "Get MSI Certificate: %s", response.problem);
    struct json *document = http_object(&response);
    if (response.status != 200 || !*json_text(document, "certificate") || !*json_text(document, "privateKey"))
        fail(81, "Get MSI Certificate: https://%s%s: httpStatusCode:%d", his, request.path, response.status);
    return document;
}

/* The last accepted heartbeat stays known when a later one fails. */
static bool record(const char *code, const char *problem)
{
    struct json *kept = problem ? state_json(HEARTBEAT) : NULL;
    struct json *outcome = kept ? kept : json_object();
    if (problem) {
        json_put_text(outcome, "agentErrorCode", code);
        json_put_text(outcome, "agentErrorDetails", problem);
        json_put_text(outcome, "agentErrorTimestamp", now_text());
        log_to(state_path(HIMDS_LOG), "error", "Heartbeat failed", "Error", problem, NULL);
    } else {
        json_put_text(outcome, "lastHeartbeat", now_text());
        log_to(state_path(HIMDS_LOG), "info", "Heartbeat sent", NULL);
    }
    state_write_json(HEARTBEAT, outcome);
    return !problem;
}

bool beat(const struct network *network)
{
    struct json *connection = state_json(AGENT_CONFIG);
    struct request request = {
        .method = "POST",
        .host = json_text(connection, "hisHost"),
        .path = format_text("/machine/%s/heartbeat?api-version=2.1", json_text(connection, "vmId")),
        .body = "{\"agentVersion\": \"" AGENT_VERSION "\"}",
        .content_type = "application/json",
        .identified = true,
    };
    struct response response = http_send(network, &request);
    if (response.problem)
        return record("AZCM0026", response.problem);
    if (response.status != 204)
        return record("AZCM0001", format_text("heartbeat was answered with HTTP %d", response.status));
    return record("", NULL);
}
