/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an exported HKLM\Cluster says (see mscs.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hive.h"
#include "mscs.h"
#include "regfile.h"

#define CLUSTER REGFILE_ROOT "\\Cluster"

#define REG_SZ 1
#define REG_EXPAND_SZ 2
#define REG_DWORD 4

/* A name of ASCII as units, for looking up. */
struct ascii {
    uint16_t units[64];
};

static struct utf16 ascii(struct ascii *room, const char *text)
{
    size_t len = 0;

    for (; text[len] && len < sizeof(room->units) / sizeof(*room->units); len++)
        room->units[len] = (unsigned char)text[len];
    return (struct utf16){room->units, len};
}

/* Takes a malloc'ed text over. */
static int add_text(struct mscs_texts *t, char *text)
{
    char **items = text ? realloc(t->items, (t->count + 1) * sizeof(*items)) : NULL;

    if (!items) {
        free(text);
        return ENOMEM;
    }
    t->items = items;
    t->items[t->count++] = text;
    return 0;
}

int mscs_remark(struct mscs_resource *r, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return add_text(&r->remarks, text);
}

/* The text of a value, malloc'ed, without the NUL at its end; NULL: none, or no text. */
static char *value_text(const struct image_value *v)
{
    uint16_t *units;
    char *text = NULL;
    size_t len = v ? v->size_bytes / 2 : 0;

    if (!v || (v->type != REG_SZ && v->type != REG_EXPAND_SZ) || !(units = malloc(2 * len + 1)))
        return NULL;
    memcpy(units, v->data, 2 * len);
    while (len && !units[len - 1])
        len--;
    for (size_t i = 0; i < len; i++)
        if (!units[i])
            len = 0; /* what a NUL stands in is nobody's name */
    if (len)
        text = utf16_to_utf8((struct utf16){units, len}, false, NULL);
    free(units);
    return text;
}

static char *text_of(const struct image_key *key, const char *name)
{
    struct ascii room;

    return key ? value_text(image_find_value(key, ascii(&room, name))) : NULL;
}

static uint32_t number_of(const struct image_key *key, const char *name)
{
    struct ascii room;
    const struct image_value *v = key ? image_find_value(key, ascii(&room, name)) : NULL;
    uint32_t number = 0;

    for (uint32_t i = 0; v && v->type == REG_DWORD && v->size_bytes == 4 && i < 4; i++)
        number |= (uint32_t)v->data[i] << (8 * i);
    return number;
}

/* The list of registry checkpoints, in the order of its numbers. */
static int read_list(struct mscs_resource *r, const struct image_key *list)
{
    int result = 0;

    for (uint32_t i = 0; !result && i < list->value_count; i++) {
        const struct image_value *v = &list->values[i];
        char *text = value_text(v), *name;
        bool twice = false;

        for (size_t n = 0; text && n < r->keys.count; n++)
            twice |= !strcasecmp(r->keys.items[n], text);
        if (text && !twice) {
            result = add_text(&r->keys, text);
            continue;
        }
        free(text);
        if (!twice) {
            name = utf16_for_display(v->name);
            result = mscs_remark(r, "The entry \"%s\" of its list of registry checkpoints is no "
                                 "text and is left out.", name ? name : "?");
            free(name);
        }
    }
    return result;
}

/* Does a key's name begin so? */
static bool begins(struct utf16 name, const char *text)
{
    struct ascii room;
    struct utf16 start = ascii(&room, text);

    return name.len >= start.len &&
           !utf16_compare_nocase((struct utf16){name.units, start.len}, start);
}

/* The subkeys of a resource that concern its checkpoints. */
static int read_subkeys(struct mscs_resource *r, const struct image_key *key)
{
    struct ascii room;
    int result = 0;

    for (uint32_t i = 0; !result && i < key->key_count; i++) {
        const struct image_key *sub = key->keys[i];
        char *name;

        if (!utf16_compare_nocase(sub->name, ascii(&room, "RegSync"))) {
            result = read_list(r, sub);
        } else if (begins(sub->name, "RegSync")) {
            name = utf16_for_display(sub->name);
            result = mscs_remark(r, "What its subkey %s lists (%u entries) is not documented and "
                                 "does not come over: see cluster res \"%s\" /checkpoints there.",
                                 name ? name : "?", sub->value_count, r->there);
            free(name);
        } else if (begins(sub->name, "Crypto")) {
            result = mscs_remark(r, "It has cryptographic key checkpoints (%u entries), which do "
                                 "not come over: move those keys by hand.",
                                 sub->value_count + sub->key_count);
        }
    }
    return result;
}

/* What does not come over of its parameters. */
static int remark_parameters(struct mscs_resource *r, const struct image_key *parameters)
{
    char *startup = text_of(parameters, "StartupParameters");
    int result = 0;

    if (startup && r->service)
        result = mscs_remark(r, "Its StartupParameters \"%s\" do not come over: put them into the "
                             "service's command line (ImagePath).", startup);
    free(startup);
    if (!result && number_of(parameters, "UseNetworkName"))
        result = mscs_remark(r, "It used the network name as the computer's name (UseNetworkName); "
                             "under Wine it gets the node's.");
    return result;
}

/* One key below Resources. */
static int read_resource(struct mscs *m, const struct image_key *key)
{
    struct mscs_resource *r;
    struct ascii room;
    const struct image_key *parameters = NULL;
    int result;

    if (m->count == m->room) {
        size_t more = m->room ? 2 * m->room : 16;

        if (!(r = realloc(m->resources, more * sizeof(*r))))
            return ENOMEM;
        m->resources = r;
        m->room = more;
    }
    r = &m->resources[m->count++];
    *r = (struct mscs_resource){.guid = utf16_for_display(key->name), .there = text_of(key, "Name"),
                                .type = text_of(key, "Type")};
    if (!r->there && r->guid)
        r->there = strdup(r->guid);
    if (!r->guid || !r->there || (!r->type && !(r->type = strdup(""))))
        return ENOMEM;
    for (uint32_t i = 0; i < key->key_count; i++)
        if (!utf16_compare_nocase(key->keys[i]->name, ascii(&room, "Parameters")))
            parameters = key->keys[i];
    if (!strcasecmp(r->type, "Generic Service")) {
        r->service = text_of(parameters, "ServiceName");
    } else if (!strcasecmp(r->type, "Generic Application")) {
        r->command = text_of(parameters, "CommandLine");
        r->directory = text_of(parameters, "CurrentDirectory");
    }
    result = read_subkeys(r, key);
    return result ? result : remark_parameters(r, parameters);
}

/* A .reg file on its way into an image of the key Cluster. */
struct reading {
    struct mscs *m;
    struct image image;
    struct utf16 cluster; /* its name in the file */
};

/* regfile_read's call for each statement. */
static int read_statement(const struct regfile_entry *e, void *arg)
{
    static const enum change_kind kinds[] = {
        [REGFILE_KEY] = CHANGE_CREATE_KEY,
        [REGFILE_DELETE_KEY] = CHANGE_DELETE_KEY,
        [REGFILE_SET_VALUE] = CHANGE_SET_VALUE,
        [REGFILE_DELETE_VALUE] = CHANGE_DELETE_VALUE,
    };
    struct reading *r = arg;
    struct change change = {.kind = kinds[e->kind], .path = e->key, .name = e->name, .type = e->type,
                            .data = e->data, .size_bytes = e->size_bytes};
    size_t len = r->cluster.len;

    if (e->key.len < len || (e->key.len > len && e->key.units[len] != '\\') ||
        utf16_compare_nocase((struct utf16){e->key.units, len}, r->cluster)) {
        r->m->elsewhere++;
        return 0;
    }
    len += e->key.len > len;
    change.path = (struct utf16){e->key.units + len, e->key.len - len};
    return image_apply(&r->image, &change);
}

/* The image of the key Cluster. */
static int read_file(const char *file, struct reading *r, struct error *err)
{
    struct ascii room;
    uint8_t *bytes;
    size_t len;
    int result = regfile_load(file, &bytes, &len, err);

    if (result)
        return result;
    r->cluster = ascii(&room, CLUSTER);
    if (hive_is(bytes, len))
        result = hive_read(bytes, len, &r->image, err);
    else
        result = regfile_read(bytes, len, read_statement, r, err);
    free(bytes);
    if (result > 0 && !err->code)
        error_system(err, result, "Reading its keys");
    return result ? error_prefix(err, "%s", file) : RESULT_OK;
}

int mscs_read(const char *file, struct mscs *m, struct error *err)
{
    struct reading r = {.m = m};
    const struct image_key *resources;
    struct ascii room;
    int result;

    *m = (struct mscs){0};
    image_init(&r.image);
    if (!(result = read_file(file, &r, err)) &&
        !(resources = image_find_key(&r.image, ascii(&room, "Resources"))))
        result = error_set(err, RESULT_NOT_FOUND, "%s holds no key " CLUSTER "\\Resources. Export "
                           "the cluster's registry on one of its nodes: reg export HKLM\\Cluster "
                           "cluster.reg (or reg save HKLM\\Cluster cluster.hiv).", file);
    for (uint32_t i = 0; !result && i < resources->key_count; i++)
        if ((result = read_resource(m, resources->keys[i])))
            error_system(err, result, "Reading %s", file);
    image_free(&r.image);
    return result;
}

static void free_texts(struct mscs_texts *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->items[i]);
    free(t->items);
}

void mscs_free(struct mscs *m)
{
    for (size_t i = 0; i < m->count; i++) {
        struct mscs_resource *r = &m->resources[i];

        free(r->guid);
        free(r->there);
        free(r->type);
        free(r->here);
        free(r->service);
        free(r->command);
        free(r->directory);
        free(r->why);
        free_texts(&r->keys);
        free_texts(&r->remarks);
    }
    free(m->resources);
    *m = (struct mscs){0};
}
