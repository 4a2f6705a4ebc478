/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys that NtSaveKey's text mixes with others, read one by one (see hostlink_private.h).
 */
#include "hostlink_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image_edit.h"

#define ASK_MS 60000

static const struct utf16 nothing;
static const uint16_t nul[1];

/* One picture that is put right. */
struct parting {
    struct hostlink *link;
    uint32_t key_id;
    struct utf16 base;
    struct image *image;
    struct error *err;
};

/* Appends a path or name; a backslash goes between. */
static void append(struct utf16 *to, uint16_t *units, struct utf16 more)
{
    if (!more.len)
        return;
    if (to->len)
        units[to->len++] = '\\';
    memcpy(units + to->len, more.units, more.len * sizeof(*units));
    to->len += more.len;
}

int hostlink_path_below(struct utf16 base, const struct image_key *key, struct utf16 name,
                        struct utf16 *out)
{
    struct utf16 path = {NULL, 0};
    int error = image_key_path(key, &path);
    uint16_t *units = NULL;

    *out = (struct utf16){NULL, 0};
    if (!error && !(units = malloc((base.len + path.len + name.len + 3) * sizeof(*units))))
        error = ENOMEM;
    if (!error) {
        append(out, units, base);
        append(out, units, path);
        append(out, units, name);
        out->units = units;
    }
    free((void *)path.units);
    return error;
}

/* Which keys are there, of this path and of it with a NUL behind?  *answer: HOST_ANSWER_*. */
static int ask(struct parting *p, struct utf16 path, uint32_t *answer)
{
    struct message reply = {.fd = -1};
    struct unpack u;
    struct pack q;
    int error;

    pack_init(&q);
    pack_u32(&q, p->key_id);
    pack_u32(&q, 1);
    pack_u32(&q, HOST_ASK_KEY);
    pack_utf16(&q, path);
    pack_utf16(&q, nothing);
    error = hostlink_ask(p->link, HOST_ASK, &q, -1, ASK_MS, &reply, &u, p->err);
    pack_free(&q);
    if (!error) {
        bool right = unpack_u32(&u) == 1;

        *answer = unpack_u32(&u);
        if (!right || unpack_failed(&u))
            error = error_set(p->err, RESULT_INVALID, "regckpt-host lost count of what it was asked");
    }
    message_free(&reply);
    return error;
}

static int no_memory(struct parting *p)
{
    return error_system(p->err, ENOMEM, "cannot look at names that a scan does not tell apart");
}

/* The same of a subkey of a key in the image. */
static int ask_child(struct parting *p, const struct image_key *parent, struct utf16 name,
                     uint32_t *answer)
{
    struct utf16 path;
    int error = hostlink_path_below(p->base, parent, name, &path);

    error = error ? no_memory(p) : ask(p, path, answer);
    free((void *)path.units);
    return error;
}

/* The name in the letters of the key itself, which its text has, but for the NUL at the end. */
static struct utf16 true_name(const struct winereg_facts *said, struct utf16 name, uint16_t *units)
{
    struct utf16 own = {units, name.len};

    if (said->name_len + 1 < name.len || said->name_len > name.len)
        return name;
    units[name.len - 1] = 0;
    memcpy(units, said->name, said->name_len * sizeof(*units));
    return utf16_compare_nocase(own, name) ? name : own;
}

/* Puts a subkey in by a scan of its own.  One that NtSaveKey writes nothing of is left out: it is volatile,
 * or holds nothing else (which hostlink_names.c asks for). */
static int read_anew(struct parting *p, struct image_key *parent, struct utf16 name,
                     struct winereg_facts *said)
{
    uint16_t units[IMAGE_MAX_KEY_NAME_CHARS];
    struct image_key *key;
    struct utf16 path;
    struct image part;
    int error = hostlink_path_below(p->base, parent, name, &path);

    image_init(&part);
    if (error)
        return no_memory(p);
    error = hostlink_scan_below(p->link, p->key_id, path, false, &part, NULL, said, p->err);
    if (!error && part.root && (said->own_section || part.root->key_count)) {
        if ((key = image_graft(p->image, parent, true_name(said, name, units), &part)))
            key->doubt = WINEREG_SURE;
        else
            error = error_system(p->err, errno, "cannot take in a key that was scanned by itself");
    }
    image_free(&part);
    free((void *)path.units);
    return error;
}

/* Is it the name in any letters, or that and NULs? */
static bool is_twin(struct utf16 name, struct utf16 of)
{
    if (name.len < of.len || utf16_compare_nocase((struct utf16){name.units, of.len}, of))
        return false;
    for (size_t i = of.len; i < name.len; i++)
        if (name.units[i])
            return false;
    return true;
}

/* A subkey and its twins, all read anew.  The text has one fewer of them, or names them by one NUL less. */
static int part_from(struct parting *p, struct image_key *parent, struct utf16 first)
{
    uint16_t units[IMAGE_MAX_KEY_NAME_CHARS + 1] = {0};
    struct utf16 name = {units, first.len};
    struct winereg_facts said;
    size_t longest = first.len;
    int error = 0;

    memcpy(units, first.units, first.len * sizeof(*units));
    for (uint32_t i = parent->key_count; i-- > 0;) {
        struct image_key *key = parent->keys[i];

        if (!is_twin(key->name, name))
            continue;
        if (longest < key->name.len)
            longest = key->name.len;
        image_remove_key(p->image, key);
    }
    for (; !error && name.len <= IMAGE_MAX_KEY_NAME_CHARS; name.len++) {
        uint32_t answer;

        if ((error = ask_child(p, parent, name, &answer)))
            break;
        if (answer & HOST_ANSWER_YES)
            error = read_anew(p, parent, name, &said);
        if (!(answer & HOST_ANSWER_NUL) && name.len >= longest)
            break;
    }
    return error;
}

/* The uppermost key from this one up that has a twin in the registry; *found NULL: none has. */
static int find_twin(struct parting *p, struct image_key *key, struct image_key **found)
{
    uint32_t answer;
    int error = 0;

    *found = NULL;
    for (; key->parent; key = key->parent) {
        if (key->doubt == WINEREG_SURE)
            continue;
        if ((error = ask_child(p, key->parent, key->name, &answer)))
            break;
        if (answer & HOST_ANSWER_NUL)
            *found = key;
        else if (key->doubt == WINEREG_NO_DOUBT)
            key->doubt = WINEREG_SURE; /* not to be asked for with each key below it */
    }
    return error;
}

static struct image_key *find_doubt(struct image_key *key)
{
    struct image_key *found = NULL;

    if (key->doubt == WINEREG_TWICE || key->doubt == WINEREG_CONFLICT)
        return key;
    for (uint32_t i = 0; !found && i < key->key_count; i++)
        found = find_doubt(key->keys[i]);
    return found;
}

int hostlink_part_twins(struct hostlink *link, uint32_t key_id, struct utf16 base, struct image *image,
                        bool *parted, struct error *err)
{
    struct parting p = {link, key_id, base, image, err};
    struct image_key *key, *twin;
    int error = 0;

    *parted = false;
    while (!error && (key = find_doubt(image->root))) {
        if ((error = find_twin(&p, key, &twin)))
            break;
        if (twin) {
            uint16_t units[IMAGE_MAX_KEY_NAME_CHARS];
            struct utf16 name = {units, twin->name.len};

            memcpy(units, twin->name.units, name.len * sizeof(*units));
            error = part_from(&p, twin->parent, name); /* which frees it */
            *parted = true;
        } else if (key->doubt == WINEREG_CONFLICT) {
            error = error_set(err, RESULT_INVALID,
                              "Wine's registry text is not as NtSaveKey writes it: a key comes twice "
                              "and is not the same; nothing of the text was used. If such a key was just "
                              "deleted or renamed, the next scan (\"regckpt save NAME\") is right");
        } else {
            key->doubt = WINEREG_SURE;
        }
    }
    return error;
}

/* Takes away what the image says of its own key and not of what is below. */
static void clear_root(struct image *image)
{
    struct image_key *root = image->root;

    for (uint32_t i = 0; i < root->value_count; i++)
        image_drop_value(image, &root->values[i]);
    root->value_count = 0;
    root->flags = 0;
    image_set_class(image, root, nothing);
}

int hostlink_part_nul(struct hostlink *link, uint32_t key_id, struct utf16 base, struct image *image,
                      struct error *err)
{
    struct parting p = {link, key_id, base, image, err};
    struct utf16 name = {nul, 1};
    struct winereg_facts said;
    uint32_t answer = 0;
    int error;
    bool found;
    uint32_t at;

    if ((error = read_anew(&p, image->root, name, &said)))
        return error;
    at = image_search_key(image->root, name, &found);
    if (found)
        image->root->keys[at]->doubt = WINEREG_TWICE; /* it may have twins */
    /* If it is written and there was one section, the key itself is none: it has but subkeys. */
    if (said.own_section && !(error = ask(&p, base, &answer)) && (answer & HOST_ANSWER_KEYS_ALONE))
        clear_root(image);
    return error;
}
