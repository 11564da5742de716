#include "config.h"

#include <ctype.h>
#include <string.h>
#include <windows.h>

#include "connect.h"
#include "console.h"
#include "state.h"

/* What each setting is where nobody has changed it; JSON tells its kind. */
static const struct {
    const char *name, *unchanged;
} settings[] = {
    {"incomingconnections.enabled", "true"},
    {"incomingconnections.ports", "[]"},
    {"connection.type", "\"default\""},
    {"proxy.url", "\"\""},
    {"proxy.bypass", "[]"},
    {"extensions.allowlist", "[]"},
    {"extensions.blocklist", "[]"},
    {"extensions.enabled", "true"},
    {"extensions.agent.cpulimit", "5"},
    {"guestconfiguration.enabled", "true"},
    {"guestconfiguration.agent.cpulimit", "5"},
    {"config.mode", "\"full\""},
};
#define SETTINGS (sizeof settings / sizeof *settings)

static struct json *all_settings(void)
{
    struct json *values = json_object(), *local = state_json(LOCAL_CONFIG);
    for (size_t at = 0; at < SETTINGS; at++) {
        struct json *set = json_get(local, settings[at].name);
        const char *unchanged = settings[at].unchanged;
        json_put(values, settings[at].name, json_read(unchanged, strlen(unchanged)));
        if (set) {
            struct json *copy = allocate(sizeof *copy);
            *copy = *set;
            json_put(values, settings[at].name, copy);
        }
    }
    return values;
}

static const char *shown(const struct json *value)
{
    struct text list = {0};
    if (value->kind == JSON_TRUE || value->kind == JSON_FALSE)
        return value->kind == JSON_TRUE ? "true" : "false";
    if (value->kind != JSON_LIST)
        return value->text ? value->text : "";
    text_put(&list, "[");
    for (const struct json *item = value->first; item; item = item->next)
        text_format(&list, "%s%s", item == value->first ? "" : ", ", item->text ? item->text : "");
    text_put(&list, "]");
    return list.data;
}

static void print_all(const struct json *values)
{
    if (console.as_json) {
        print_json(values);
        return;
    }
    print_line("Local Configuration Settings");
    for (const struct json *item = values->first; item; item = item->next)
        print_line(format_text("  %s%s : %s", item->key,
                               strncmp(item->key, "incoming", 8) == 0 ? " (preview)" : "", shown(item)));
}

/* Items between commas, trimmed; empty ones are left out. */
static struct json *split(const char *text)
{
    struct json *list = json_list();
    while (*text) {
        size_t length = strcspn(text, ",");
        struct json *item = json_object();
        item->kind = JSON_TEXT;
        item->text = trimmed(copy_text(text, length));
        if (*item->text)
            json_put(list, NULL, item);
        text += length + (text[length] == ',');
    }
    return list;
}

static struct json *parsed(const char *name, enum json_kind kind, const char *text)
{
    struct json *holder = json_object();
    if (kind == JSON_LIST)
        return split(text);
    if (kind == JSON_TRUE || kind == JSON_FALSE) {
        if (!same_word(text, "true") && !same_word(text, "false"))
            fail(23, "invalid value '%s' for %s: expected true or false", text, name);
        json_put_flag(holder, name, same_word(text, "true"));
    } else if (kind == JSON_NUMBER) {
        if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 6)
            fail(23, "invalid value '%s' for %s: expected a number", text, name);
        json_put_number(holder, name, atol(text));
    } else {
        json_put_text(holder, name, text);
    }
    return holder->first;
}

static void change(struct json *values, const char *action, const char *name, const char *value)
{
    bool set = strcmp(action, "set") == 0;
    need_administrator(format_text("config %s", action));
    if (set && !*value)
        fail(16, "a value for %s is required", name);
    for (size_t at = 0; at < SETTINGS; at++) {
        if (strcmp(settings[at].name, name) != 0)
            continue;
        const char *unchanged = settings[at].unchanged;
        struct json *usual = json_read(unchanged, strlen(unchanged));
        json_put(values, name, set ? parsed(name, usual->kind, value) : usual);
    }
    if (!state_write_json(LOCAL_CONFIG, values))
        fail(106, "the local configuration could not be saved: %s", problem_text(GetLastError()));
    print_line(set ? format_text("Config property %s set to value %s", name, shown(json_get(values, name)))
                   : format_text("Config property %s cleared", name));
    if (strncmp(name, "proxy.", 6) == 0)
        say_info("Updating service configuration: Azure Arc Proxy", NULL);
}

void config(const struct options *options)
{
    static const char *const actions[] = {"list", "get", "set", "clear", NULL};
    char **words = options->words;
    const char *action = words[0] ? words[0] : "", *name = words[0] && words[1] ? words[1] : "";
    struct json *values = all_settings();
    if (!text_in(action, actions))
        fail(23, "config takes one of list, get, set and clear");
    if (strcmp(action, "list") == 0) {
        print_all(values);
        return;
    }
    struct json *value = json_get(values, name);
    if (!value)
        fail(23, "unknown configuration property '%s'", name);
    if (strcmp(action, "get") == 0)
        print_line(shown(value));
    else
        change(values, action, name, words[2] ? words[2] : "");
}
