#include "console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "state.h"

static const struct {
    int number;
    const char *title;
} titles[] = {
    {1, "Generic Error"},
    {12, "Invalid Access Token"},
    {16, "Missing Parameter"},
    {18, "Insufficient Privileges"},
    {19, "Config File Not Found"},
    {20, "Invalid Location"},
    {23, "Invalid Argument"},
    {26, "Network Error"},
    {41, "Authentication Error"},
    {42, "Azure Resource Creation Failed"},
    {43, "Azure Resource Deletion Failed"},
    {44, "Azure Resource Already Exists"},
    {67, "Machine Already Connected"},
    {81, "Managed Identity Certificate Error"},
    {102, "Invalid Resource Name"},
    {106, "Configuration Could Not Be Saved"},
};

struct console console;

char *now_text(void)
{
    SYSTEMTIME time;
    GetSystemTime(&time);
    return format_text("%04d-%02d-%02dT%02d:%02d:%02dZ", time.wYear, time.wMonth, time.wDay, time.wHour,
                       time.wMinute, time.wSecond);
}

static void quote(struct text *line, const char *string)
{
    struct json value = {.kind = JSON_TEXT, .text = (char *)string};
    json_write(line, &value);
}

static void log_line(const char *path, const char *level, const char *message, va_list fields)
{
    struct text line = {0};
    text_format(&line, "time=\"%s\" level=%s msg=", now_text(), level);
    quote(&line, message);
    for (const char *name = va_arg(fields, const char *); name; name = va_arg(fields, const char *)) {
        text_format(&line, " %s=", name);
        quote(&line, va_arg(fields, const char *));
    }
    text_put(&line, "\n");
    state_append(path, line.data);
}

static void show_line(const char *level, const char *message, va_list fields)
{
    FILE *stream = console.to_stderr ? stderr : stdout;
    fprintf(stream, "%-8s%s", level, message);
    for (const char *name = va_arg(fields, const char *); name; name = va_arg(fields, const char *))
        fprintf(stream, "  %s=%s", name, va_arg(fields, const char *));
    fputs("\n", stream);
    fflush(stream);
}

static void say(const char *level, bool shown, const char *message, va_list fields)
{
    va_list again;
    va_copy(again, fields);
    log_line(state_path(AGENT_LOG), lower(level), message, again);
    va_end(again);
    if (shown)
        show_line(level, message, fields);
}

#define SAY(level, shown)             \
    va_list fields;                   \
    va_start(fields, message);        \
    say(level, shown, message, fields); \
    va_end(fields)

void say_info(const char *message, ...)
{
    SAY("INFO", !console.as_json);
}

void say_debug(const char *message, ...)
{
    SAY("DEBUG", console.verbose);
}

void say_error(const char *message, ...)
{
    SAY("ERROR", true);
}

static void say_fatal(const char *message, ...)
{
    SAY("FATAL", true);
}

void log_to(const char *path, const char *level, const char *message, ...)
{
    va_list fields;
    va_start(fields, message);
    log_line(path, level, message, fields);
    va_end(fields);
}

void print_line(const char *line)
{
    puts(line);
    fflush(stdout);
}

void print_json(const struct json *value)
{
    struct text text = {0};
    json_write(&text, value);
    print_line(text.data);
}

static const char *title(int number)
{
    for (size_t at = 0; at < sizeof titles / sizeof *titles; at++)
        if (titles[at].number == number)
            return titles[at].title;
    return titles[0].title;
}

void fail(int number, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *detail = format_list(format, values);
    va_end(values);
    char *code = format_text("AZCM%04d", number);
    say_info(format_text("Exit Code:  %s: %s", code, title(number)), NULL);
    say_info("For troubleshooting, see https://aka.ms/arc/azcmerror", NULL);
    say_fatal(detail, NULL);
    if (console.as_json) {
        struct json *document = json_object();
        json_put_text(document, "status", "failed");
        struct json *error = json_put(document, "error", json_object());
        json_put_text(error, "code", code);
        json_put_text(error, "message", detail);
        print_json(document);
    }
    exit(number);
}
