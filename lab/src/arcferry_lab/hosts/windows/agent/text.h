/* Growable UTF-8 text. What is allocated lives as long as the process, which is one command. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <wchar.h>

#define PRINTF(at, first) __attribute__((format(gnu_printf, at, first)))

/* `data` is closed by a zero that `length` does not count; NULL while nothing was added. */
struct text {
    char *data;
    size_t length, room;
};

void *allocate(size_t size);
void text_add(struct text *text, const char *data, size_t length);
void text_put(struct text *text, const char *string);
void text_format(struct text *text, const char *format, ...) PRINTF(2, 3);

/* A new string, as printf writes it. */
char *format_text(const char *format, ...) PRINTF(1, 2);
char *format_list(const char *format, va_list values);
char *copy_text(const char *data, size_t length);

/* Copies without white space at both ends, and in lower case. */
char *trimmed(const char *string);
char *lower(const char *string);

/* `string` percent-encoded, but for letters, digits, "-._~" and the characters of `keep`. */
char *percent_encoded(const char *string, const char *keep);

bool same_word(const char *one, const char *other);
bool ends_with(const char *string, const char *end);
bool text_in(const char *string, const char *const *list);

char *narrow(const wchar_t *wide);
wchar_t *widen(const char *string);

#endif
