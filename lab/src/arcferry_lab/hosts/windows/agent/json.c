#include "json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 32

struct source {
    const char *at, *end;
};

static struct json *read_value(struct source *source, int depth);

static struct json *made(enum json_kind kind)
{
    struct json *value = allocate(sizeof *value);
    value->kind = kind;
    return value;
}

static void skip_space(struct source *source)
{
    while (source->at < source->end && strchr(" \t\r\n", *source->at) && *source->at)
        source->at++;
}

static bool take(struct source *source, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(source->end - source->at) < length || memcmp(source->at, word, length) != 0)
        return false;
    source->at += length;
    return true;
}

static bool read_unit(struct source *source, unsigned *unit)
{
    *unit = 0;
    for (int digit = 0; digit < 4; digit++) {
        if (source->at >= source->end || !isxdigit((unsigned char)*source->at))
            return false;
        char letter = *source->at++;
        *unit = *unit * 16 + (unsigned)(isdigit((unsigned char)letter) ? letter - '0' : (letter | 32) - 'a' + 10);
    }
    return true;
}

static void add_point(struct text *text, unsigned point)
{
    unsigned char bytes[4];
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t at = length; at-- > 1; point >>= 6)
        bytes[at] = (unsigned char)(0x80 | (point & 0x3F));
    bytes[0] = (unsigned char)(heads[length] | point);
    text_add(text, (const char *)bytes, length);
}

static bool read_escape(struct source *source, struct text *text)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (source->at >= source->end)
        return false;
    char letter = *source->at++;
    const char *found = letter ? strchr(names, letter) : NULL;
    if (found) {
        text_add(text, &values[found - names], 1);
        return true;
    }
    unsigned unit, second;
    /* U+0000 would end the text early. */
    if (letter != 'u' || !read_unit(source, &unit) || unit == 0)
        return false;
    if (unit >= 0xD800 && unit < 0xDC00) {
        if (!take(source, "\\u") || !read_unit(source, &second) || second < 0xDC00 || second > 0xDFFF)
            return false;
        unit = 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
    } else if (unit >= 0xDC00 && unit < 0xE000) {
        return false;
    }
    add_point(text, unit);
    return true;
}

static char *read_text(struct source *source)
{
    struct text text = {0};
    text_put(&text, "");
    if (!take(source, "\""))
        return NULL;
    while (source->at < source->end) {
        char letter = *source->at++;
        if (letter == '"')
            return text.data;
        if ((unsigned char)letter < 32 || (letter == '\\' && !read_escape(source, &text)))
            return NULL;
        if (letter != '\\')
            text_add(&text, &letter, 1);
    }
    return NULL;
}

static struct json *read_number(struct source *source)
{
    const char *start = source->at;
    while (source->at < source->end && *source->at && strchr("+-.eE0123456789", *source->at))
        source->at++;
    char *end, *text = copy_text(start, (size_t)(source->at - start));
    strtod(text, &end);
    if (end == text || *end || !strpbrk(text, "0123456789"))
        return NULL;
    struct json *value = made(JSON_NUMBER);
    value->text = text;
    return value;
}

/* A list's items, or an object's names and values. */
static struct json *read_holder(struct source *source, struct json *holder, const char *close, int depth)
{
    struct json **last = &holder->first;
    skip_space(source);
    if (take(source, close))
        return holder;
    do {
        char *key = NULL;
        skip_space(source);
        if (holder->kind == JSON_OBJECT) {
            key = read_text(source);
            skip_space(source);
            if (!key || !take(source, ":"))
                return NULL;
        }
        struct json *value = read_value(source, depth + 1);
        if (!value)
            return NULL;
        value->key = key;
        *last = value;
        last = &value->next;
        skip_space(source);
    } while (take(source, ","));
    return take(source, close) ? holder : NULL;
}

static struct json *read_value(struct source *source, int depth)
{
    skip_space(source);
    if (depth > DEEPEST || source->at >= source->end)
        return NULL;
    if (*source->at == '"') {
        struct json *value = made(JSON_TEXT);
        value->text = read_text(source);
        return value->text ? value : NULL;
    }
    if (take(source, "{"))
        return read_holder(source, made(JSON_OBJECT), "}", depth);
    if (take(source, "["))
        return read_holder(source, made(JSON_LIST), "]", depth);
    if (take(source, "true"))
        return made(JSON_TRUE);
    if (take(source, "false"))
        return made(JSON_FALSE);
    if (take(source, "null"))
        return made(JSON_NULL);
    return read_number(source);
}

struct json *json_read(const char *data, size_t length)
{
    struct source source = {data, data + length};
    if (!data)
        return NULL;
    take(&source, "\xEF\xBB\xBF"); /* PowerShell 5.1 begins its UTF-8 files with a mark */
    struct json *value = read_value(&source, 0);
    skip_space(&source);
    return source.at == source.end ? value : NULL;
}

static unsigned next_point(const unsigned char **at)
{
    unsigned first = *(*at)++;
    int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
    unsigned point = more == 3 ? first & 7 : more == 2 ? first & 15 : more == 1 ? first & 31 : first;
    for (; more && (**at & 0xC0) == 0x80; more--)
        point = (point << 6) | (*(*at)++ & 0x3F);
    return more || (first >= 0x80 && first < 0xC0) ? 0xFFFD : point;
}

static void write_text(struct text *text, const char *string)
{
    static const char values[] = "\"\\\n\r\t", names[] = "\"\\nrt";
    text_put(text, "\"");
    for (const unsigned char *at = (const unsigned char *)string; *at;) {
        unsigned point = next_point(&at);
        const char *found = point < 128 ? strchr(values, (int)point) : NULL;
        if (found)
            text_format(text, "\\%c", names[found - values]);
        else if (point >= 32 && point < 127)
            text_format(text, "%c", (int)point);
        else if (point < 0x10000)
            text_format(text, "\\u%04x", point);
        else
            text_format(text, "\\u%04x\\u%04x", 0xD800 + ((point - 0x10000) >> 10), 0xDC00 + (point & 0x3FF));
    }
    text_put(text, "\"");
}

static void write_value(struct text *text, const struct json *value, int depth)
{
    static const char *const words[] = {"null", "false", "true"};
    if (value->kind <= JSON_TRUE) {
        text_put(text, words[value->kind]);
    } else if (value->kind == JSON_NUMBER) {
        text_put(text, value->text);
    } else if (value->kind == JSON_TEXT) {
        write_text(text, value->text);
    } else {
        const char *ends = value->kind == JSON_LIST ? "[]" : "{}";
        text_add(text, ends, 1);
        for (const struct json *item = value->first; item; item = item->next) {
            text_format(text, "%s\n%*s", item == value->first ? "" : ",", 2 * depth + 2, "");
            if (item->key) {
                write_text(text, item->key);
                text_put(text, ": ");
            }
            write_value(text, item, depth + 1);
        }
        if (value->first)
            text_format(text, "\n%*s", 2 * depth, "");
        text_add(text, ends + 1, 1);
    }
}

void json_write(struct text *text, const struct json *value)
{
    write_value(text, value, 0);
}

struct json *json_object(void)
{
    return made(JSON_OBJECT);
}

struct json *json_list(void)
{
    return made(JSON_LIST);
}

struct json *json_put(struct json *holder, const char *key, struct json *value)
{
    struct json **at = &holder->first;
    while (*at && !(key && strcmp((*at)->key, key) == 0))
        at = &(*at)->next;
    value->key = key ? copy_text(key, strlen(key)) : NULL;
    value->next = *at ? (*at)->next : NULL;
    *at = value;
    return value;
}

void json_put_text(struct json *holder, const char *key, const char *text)
{
    struct json *value = made(JSON_TEXT);
    value->text = copy_text(text, strlen(text));
    json_put(holder, key, value);
}

void json_put_flag(struct json *holder, const char *key, bool flag)
{
    json_put(holder, key, made(flag ? JSON_TRUE : JSON_FALSE));
}

void json_put_number(struct json *holder, const char *key, long number)
{
    struct json *value = made(JSON_NUMBER);
    value->text = format_text("%ld", number);
    json_put(holder, key, value);
}

struct json *json_get(const struct json *holder, const char *key)
{
    if (!holder || holder->kind != JSON_OBJECT)
        return NULL;
    for (struct json *item = holder->first; item; item = item->next)
        if (strcmp(item->key, key) == 0)
            return item;
    return NULL;
}

const char *json_text(const struct json *holder, const char *key)
{
    const struct json *value = json_get(holder, key);
    return value && value->kind == JSON_TEXT ? value->text : "";
}

bool json_flag(const struct json *holder, const char *key)
{
    const struct json *value = json_get(holder, key);
    return value && (value->kind == JSON_TRUE || (value->kind == JSON_TEXT && same_word(value->text, "true")));
}
