#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "console.h"
#include "state.h"

enum takes { NOTHING, VALUE };

static const char *const commands[] = {"check",   "config", "connect", "disconnect",
                                       "help",    "show",   "version", NULL};

/* `commands` names the commands that have the option; NULL where every one has. */
static const struct {
    const char *name;
    char letter;
    enum takes takes;
    const char *commands;
} known[] = {
    {"config", 0, VALUE, NULL},
    {"json", 'j', NOTHING, NULL},
    {"verbose", 'v', NOTHING, NULL},
    {"log-stderr", 0, NOTHING, NULL},
    {"no-color", 0, NOTHING, NULL},
    {"location", 'l', VALUE, "check connect"},
    {"cloud", 0, VALUE, "check connect"},
    {"enable-pls-check", 'p', NOTHING, "check"},
    {"extensions", 'e', VALUE, "check"},
    {"access-token", 0, VALUE, "connect disconnect"},
    {"service-principal-id", 'i', VALUE, "connect disconnect"},
    {"service-principal-secret", 'p', VALUE, "connect disconnect"},
    {"service-principal-cert-thumbprint", 0, VALUE, "connect disconnect"},
    {"tenant-id", 't', VALUE, "connect disconnect"},
    {"force-local-only", 'f', NOTHING, "disconnect"},
    {"subscription-id", 's', VALUE, "connect"},
    {"resource-group", 'g', VALUE, "connect"},
    {"resource-name", 'n', VALUE, "connect"},
    {"tags", 0, VALUE, "connect"},
    {"private-link-scope", 0, VALUE, "connect"},
    {"gateway-id", 0, VALUE, "connect"},
    {"correlation-id", 0, VALUE, "connect"},
    {"ignore-network-check", 0, NOTHING, "connect"},
    {"os", 0, NOTHING, "show"},
};
#define KNOWN ((int)(sizeof known / sizeof *known))

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

static int find_option(const char *command, const char *name, size_t length, char letter)
{
    for (int at = 0; at < KNOWN; at++) {
        bool same = letter ? known[at].letter == letter
                           : strlen(known[at].name) == length && memcmp(known[at].name, name, length) == 0;
        if (same && (!known[at].commands || has_word(known[at].commands, command)))
            return at;
    }
    return -1;
}

/* One option and its value; a value is never repeated in an error, because it may be a secret. */
static int read_option(struct options *options, char **arguments, int at, int count)
{
    const char *word = arguments[at], *equals = strchr(word, '=');
    bool is_long = word[1] == '-';
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    int found = is_long ? find_option(options->command, word + 2, length - 2, 0) : find_option(options->command, "", 0, word[1]);
    if (found < 0 || (!is_long && word[2] && known[found].takes == NOTHING))
        fail(23, "unknown flag: %s", copy_text(word, is_long ? length : 2));
    if (known[found].takes == NOTHING) {
        json_put_flag(options->values, known[found].name, !equals || same_word(equals + 1, "true"));
        return at + 1;
    }
    const char *value = is_long && equals ? equals + 1 : !is_long && word[2] ? word + 2 : NULL;
    if (!value && at + 1 >= count)
        fail(23, "flag needs an argument: --%s", known[found].name);
    json_put_text(options->values, known[found].name, value ? value : arguments[at + 1]);
    return at + (value ? 1 : 2);
}

/* The flat object of a config file, under names in lower case; what the command line gave stays. */
static void add_config(struct options *options, const char *path)
{
    struct text content = {0};
    if (!read_file(path, &content))
        fail(19, "config file %s cannot be read: %s", path, problem_text(GetLastError()));
    struct json *document = json_read(content.data, content.length);
    if (!document)
        fail(23, "config file %s is not valid JSON", path);
    if (document->kind != JSON_OBJECT)
        fail(23, "config file %s must hold an object of option names and values", path);
    for (struct json *item = document->first, *next; item; item = next) {
        next = item->next;
        char *name = lower(item->key);
        if (!json_get(options->values, name))
            json_put(options->values, name, item);
    }
}

void read_options(struct options *options, int count, char **arguments)
{
    int words = 0;
    options->command = "";
    options->values = json_object();
    options->words = allocate(sizeof(char *) * ((size_t)count + 1));
    for (int at = 1; at < count && !*options->command; at++)
        if (text_in(arguments[at], commands))
            options->command = arguments[at];
    for (int at = 1; at < count;) {
        if (arguments[at][0] == '-' && arguments[at][1])
            at = read_option(options, arguments, at, count);
        else if (arguments[at] == options->command)
            at++;
        else
            options->words[words++] = arguments[at++];
    }
    if (words && !*options->command)
        fail(23, "unknown command \"%s\" for \"azcmagent\"", options->words[0]);
    char *path = option(options, "config");
    if (*path)
        add_config(options, path);
}

char *option(const struct options *options, const char *name)
{
    const struct json *value = json_get(options->values, name);
    bool shown = value && (value->kind == JSON_TEXT || value->kind == JSON_NUMBER);
    return trimmed(shown ? value->text : "");
}

bool option_flag(const struct options *options, const char *name)
{
    return json_flag(options->values, name);
}

void need_options(const struct options *options, ...)
{
    struct text missing = {0};
    va_list names;
    va_start(names, options);
    for (const char *name = va_arg(names, const char *); name; name = va_arg(names, const char *))
        if (!*option(options, name))
            text_format(&missing, "%s\"%s\"", missing.length ? ", " : "", name);
    va_end(names);
    if (missing.length)
        fail(16, "required flag(s) %s not set", missing.data);
}

static void add_tag(struct json *tags, const char *part)
{
    const char *equals = strchr(part, '=');
    char *name = trimmed(equals ? copy_text(part, (size_t)(equals - part)) : "");
    if (!*trimmed(part))
        return;
    if (!*name)
        fail(23, "invalid value for --tags: expected key=value pairs separated by commas");
    json_put_text(tags, name, trimmed(equals + 1));
}

struct json *option_tags(const struct options *options)
{
    struct json *given = json_get(options->values, "tags");
    if (given && given->kind == JSON_OBJECT)
        return given;
    struct json *tags = json_object();
    struct text part = {0};
    char quote = 0;
    text_put(&part, "");
    for (const char *at = option(options, "tags"); *at; at++) {
        if (*at == '\\' && at[1]) {
            text_add(&part, ++at, 1);
        } else if (quote ? *at == quote : *at == '\'' || *at == '"') {
            quote = quote ? 0 : *at;
        } else if (*at == ',' && !quote) {
            add_tag(tags, part.data);
            part = (struct text){0};
            text_put(&part, "");
        } else {
            text_add(&part, at, 1);
        }
    }
    add_tag(tags, part.data);
    return tags;
}
