#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

void *allocate(size_t size)
{
    void *data = calloc(1, size ? size : 1);
    if (!data) {
        fputs("FATAL   out of memory\n", stderr);
        exit(2);
    }
    return data;
}

void text_add(struct text *text, const char *data, size_t length)
{
    if (text->length + length + 1 > text->room) {
        size_t room = (text->length + length + 1) * 2;
        char *grown = allocate(room);
        if (text->length)
            memcpy(grown, text->data, text->length);
        free(text->data);
        text->data = grown;
        text->room = room;
    }
    if (length)
        memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = 0;
}

void text_put(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *formatted = format_list(format, values);
    va_end(values);
    text_put(text, formatted);
    free(formatted);
}

char *format_list(const char *format, va_list values)
{
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    size_t room = length < 0 ? 1 : (size_t)length + 1;
    char *string = allocate(room);
    vsnprintf(string, room, format, values);
    return string;
}

char *format_text(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *string = format_list(format, values);
    va_end(values);
    return string;
}

char *copy_text(const char *data, size_t length)
{
    char *copy = allocate(length + 1);
    memcpy(copy, data, length);
    return copy;
}

char *trimmed(const char *string)
{
    while (isspace((unsigned char)*string))
        string++;
    size_t length = strlen(string);
    while (length && isspace((unsigned char)string[length - 1]))
        length--;
    return copy_text(string, length);
}

char *lower(const char *string)
{
    char *copy = copy_text(string, strlen(string));
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

char *percent_encoded(const char *string, const char *keep)
{
    struct text text = {0};
    text_put(&text, "");
    for (; *string; string++) {
        unsigned char letter = (unsigned char)*string;
        bool plain = letter < 128 && (isalnum(letter) || strchr("-._~", letter) || strchr(keep, letter));
        if (plain)
            text_add(&text, string, 1);
        else
            text_format(&text, "%%%02X", letter);
    }
    return text.data;
}

bool same_word(const char *one, const char *other)
{
    return _stricmp(one, other) == 0;
}

bool ends_with(const char *string, const char *end)
{
    size_t length = strlen(string), tail = strlen(end);
    return length >= tail && strcmp(string + length - tail, end) == 0;
}

bool text_in(const char *string, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(string, *list) == 0)
            return true;
    return false;
}

char *narrow(const wchar_t *wide)
{
    int room = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *string = allocate((size_t)room + 1);
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, string, room, NULL, NULL);
    return string;
}

wchar_t *widen(const char *string)
{
    int room = MultiByteToWideChar(CP_UTF8, 0, string, -1, NULL, 0);
    wchar_t *wide = allocate(((size_t)room + 1) * sizeof *wide);
    MultiByteToWideChar(CP_UTF8, 0, string, -1, wide, room);
    return wide;
}
