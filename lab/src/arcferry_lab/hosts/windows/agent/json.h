/* JSON values: read within bounds, built, and written as Python's json.dumps(indent=2) writes them. */
#ifndef JSON_H
#define JSON_H

#include "text.h"

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_OBJECT };

/* `text` is a text's content, or a number as it was written; `key` is the name within an object. */
struct json {
    enum json_kind kind;
    char *key, *text;
    struct json *first, *next;
};

/* NULL where `data` is not one JSON value, or is nested deeper than 32 levels. */
struct json *json_read(const char *data, size_t length);
void json_write(struct text *text, const struct json *value);

struct json *json_object(void);
struct json *json_list(void);

/* What is set under a known name takes its place. An item of a list has a NULL key. */
struct json *json_put(struct json *holder, const char *key, struct json *value);
void json_put_text(struct json *holder, const char *key, const char *text);
void json_put_flag(struct json *holder, const char *key, bool flag);
void json_put_number(struct json *holder, const char *key, long number);

/* NULL where `holder` is NULL or no object, or has no such name. */
struct json *json_get(const struct json *holder, const char *key);
/* A text; "" where there is none, or where it is of another kind. */
const char *json_text(const struct json *holder, const char *key);
bool json_flag(const struct json *holder, const char *key);

#endif
