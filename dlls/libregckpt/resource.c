/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A resource's properties.  The table below is the only list of them: setting, showing and
 * recording go by it, so that a new property is one row.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resource.h"

#define TEXT_MAX_BYTES 32767 /* Windows' longest command line */
#define LAG_MAX_MS 60000
#define TIMEOUT_MAX_S 86400
#define HISTORY_MAX_BYTES (1u << 30)

enum property_form {
    FORM_TEXT,     /* anything printable */
    FORM_REQUIRED, /* the same, not empty; sets the kind */
    FORM_PATH,     /* absolute, or empty */
    FORM_NUMBER,
    FORM_SIZE,     /* a number with K or M behind it, if wanted */
    FORM_POLICY,
};

struct property {
    const char *name;
    enum property_form form;
    size_t offset;
    uint32_t least, most;
    const char *accepted; /* for the message */
};

#define AT(field) offsetof(struct resource, field)

static const struct property properties[] = {
    { "service", FORM_REQUIRED, AT(service), 0, 0, "the name of a Windows service" },
    { "command", FORM_REQUIRED, AT(command), 0, 0, "a Windows command line" },
    { "directory", FORM_TEXT, AT(directory), 0, 0, "a directory, or nothing" },
    { "prefix", FORM_PATH, AT(prefix), 0, 0, "an absolute path, or nothing" },
    { "user", FORM_TEXT, AT(user), 0, 0, "a Unix user's name, or nothing" },
    { "wine", FORM_PATH, AT(wine), 0, 0, "an absolute path, or nothing" },
    { "lag", FORM_NUMBER, AT(lag_ms), 0, LAG_MAX_MS, "milliseconds, 0 (durable) to 60000" },
    { "on-storage-error", FORM_POLICY, AT(on_storage_error), 0, 0, "continue or stop" },
    { "start-timeout", FORM_NUMBER, AT(start_timeout_s), 1, TIMEOUT_MAX_S, "seconds, 1 to 86400" },
    { "stop-timeout", FORM_NUMBER, AT(stop_timeout_s), 1, TIMEOUT_MAX_S, "seconds, 1 to 86400" },
    { "history", FORM_SIZE, AT(history_bytes), 0, HISTORY_MAX_BYTES,
      "bytes, 0 (none) to 1024M; K and M may stand behind the number" },
};

#define PROPERTY_COUNT (sizeof(properties) / sizeof(properties[0]))

/* The string field of a property. */
static char **text_field(const struct resource *r, const struct property *p)
{
    return (char **)((char *)r + p->offset);
}

/* The number field of a property. */
static uint32_t *number_field(const struct resource *r, const struct property *p)
{
    return (uint32_t *)((char *)r + p->offset);
}

/* Is the property kept as a string? */
static bool is_text(const struct property *p)
{
    return p->form == FORM_TEXT || p->form == FORM_REQUIRED || p->form == FORM_PATH;
}

/* The row of a name, NULL: none. */
static const struct property *find_property(const char *name)
{
    size_t i;

    for (i = 0; i < PROPERTY_COUNT; i++)
        if (!strcmp(properties[i].name, name)) return &properties[i];
    return NULL;
}

void resource_init(struct resource *r)
{
    size_t i;

    memset(r, 0, sizeof(*r));
    for (i = 0; i < PROPERTY_COUNT; i++)
        if (is_text(&properties[i])) *text_field(r, &properties[i]) = strdup("");
    r->lag_ms = DEFAULT_LAG_MS;
    r->on_storage_error = STORAGE_CONTINUE;
    r->start_timeout_s = DEFAULT_START_TIMEOUT_S;
    r->stop_timeout_s = DEFAULT_STOP_TIMEOUT_S;
    r->history_bytes = DEFAULT_HISTORY_BYTES;
}

void resource_free(struct resource *r)
{
    size_t i;

    for (i = 0; i < PROPERTY_COUNT; i++)
        if (is_text(&properties[i])) free(*text_field(r, &properties[i]));
    memset(r, 0, sizeof(*r));
}

int resource_copy(struct resource *to, const struct resource *from)
{
    bool failed = false;
    size_t i;

    *to = *from;
    for (i = 0; i < PROPERTY_COUNT; i++) {
        const char *text;

        if (!is_text(&properties[i])) continue;
        text = *text_field(from, &properties[i]);
        if (!(*text_field(to, &properties[i]) = strdup(text ? text : ""))) failed = true;
    }
    if (!failed) return 0;
    resource_free(to);
    return ENOMEM;
}

/* Reads a number within a property's bounds. */
static bool read_number(const struct property *p, const char *value, uint32_t *out)
{
    uint64_t number = 0, unit = 1;

    if (*value < '0' || *value > '9') return false;
    for (; *value >= '0' && *value <= '9'; value++) {
        number = number * 10 + (uint64_t)(*value - '0');
        if (number > UINT32_MAX) return false;
    }
    if (p->form == FORM_SIZE && (*value == 'K' || *value == 'M'))
        unit = *value++ == 'K' ? 1u << 10 : 1u << 20;
    if (*value || number * unit < p->least || number * unit > p->most) return false;
    *out = (uint32_t)(number * unit);
    return true;
}

/* Control characters would break tables and logs, and no path or command needs one. */
static bool text_is_fine(const char *value)
{
    size_t len_bytes = 0;

    for (; *value; value++, len_bytes++)
        if ((unsigned char)*value < 0x20 || *value == 0x7f) return false;
    return len_bytes <= TEXT_MAX_BYTES;
}

/* Puts a text into its field; a service takes a command's place and the other way round. */
static int set_text(struct resource *r, const struct property *p, const char *value,
                    struct error *err)
{
    char *copy = strdup(value), *none = NULL;
    char **other;

    if (copy && p->form == FORM_REQUIRED) {
        other = p->offset == AT(service) ? &r->command : &r->service;
        if ((none = strdup(""))) {
            free(*other);
            *other = none;
            r->kind = p->offset == AT(service) ? RESOURCE_SERVICE : RESOURCE_APPLICATION;
        }
    }
    if (!copy || (p->form == FORM_REQUIRED && !none)) {
        free(copy);
        return error_system(err, ENOMEM, "cannot set the property %s", p->name);
    }
    free(*text_field(r, p));
    *text_field(r, p) = copy;
    return 0;
}

int resource_set(struct resource *r, const char *name, const char *value, struct error *err)
{
    const struct property *p = find_property(name);
    char names[256] = "";
    size_t i;

    if (!p) {
        for (i = 0; i < PROPERTY_COUNT; i++) {
            if (i) strcat(names, ", ");
            strcat(names, properties[i].name);
        }
        return error_set(err, RESULT_USAGE, "there is no property \"%s\"; there are: %s", name,
                         names);
    }
    switch (p->form) {
    case FORM_REQUIRED:
        if (!*value) break;
        /* fall through */
    case FORM_TEXT:
        if (!text_is_fine(value)) break;
        return set_text(r, p, value, err);
    case FORM_PATH:
        if (!text_is_fine(value) || (*value && *value != '/')) break;
        return set_text(r, p, value, err);
    case FORM_NUMBER:
    case FORM_SIZE:
        if (!read_number(p, value, number_field(r, p))) break;
        return 0;
    case FORM_POLICY:
        if (!strcmp(value, "continue")) r->on_storage_error = STORAGE_CONTINUE;
        else if (!strcmp(value, "stop")) r->on_storage_error = STORAGE_STOP;
        else break;
        return 0;
    }
    return error_set(err, RESULT_USAGE, "the property %s cannot be \"%.200s\": it takes %s%s", name,
                     value, p->accepted,
                     is_text(p) ? ", without control characters, at most 32767 bytes" : "");
}

char *resource_get(const struct resource *r, const char *name)
{
    const struct property *p = find_property(name);
    char number[16];

    if (!p) return NULL;
    if (is_text(p)) return strdup(*text_field(r, p) ? *text_field(r, p) : "");
    if (p->form == FORM_POLICY)
        return strdup(r->on_storage_error == STORAGE_STOP ? "stop" : "continue");
    snprintf(number, sizeof(number), "%u", *number_field(r, p));
    return strdup(number);
}

const char *resource_property(unsigned i)
{
    return i < PROPERTY_COUNT ? properties[i].name : NULL;
}

int resource_name_check(const char *name, struct error *err)
{
    size_t len = strlen(name), i;
    bool fine = len >= 1 && len <= RESOURCE_NAME_MAX && *name != '.' && *name != '-';

    for (i = 0; fine && i < len; i++) {
        char c = name[i];

        /* Not isalnum(): a locale must not decide what a directory on shared storage is called. */
        fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    }
    if (fine) return 0;
    return error_set(err, RESULT_USAGE, "\"%.100s\" cannot be a resource's name: a name has 1 to "
                     "%d letters, digits, '.', '_' or '-', and does not begin with '.' or '-'",
                     name,
                     RESOURCE_NAME_MAX);
}
