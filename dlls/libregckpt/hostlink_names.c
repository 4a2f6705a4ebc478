/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the text of NtSaveKey gets wrong (save_subkeys and dump_strW in Wine 8.0's server), set right by
 * asking for exactly what can be meant:
 *
 *   - A name that ends in NUL is written without it.  So is each name that is new, against what is
 *     known, there as it is written, or with a NUL behind it?  A key that is there as both is mixed of
 *     them; one that is there as neither, and a value that its key has not, may be another key's, if they
 *     were not deleted just now: such keys are read anew (hostlink_private.h).
 *   - A key without values and class whose subkeys are all volatile, or such keys again, is not written.
 *     So is each known key of that kind that is missing still there, with subkeys alone?
 *
 * Keys are asked for level by level, since the path of what is below a key holds its true name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hostlink_private.h"
#include "image_edit.h"

#define ASK_MS 60000
#define BATCH_BYTES (1u << 20)

/* What a question is about: a key of the picture, a value of one, or a known key that is missing. */
struct question {
    struct image_key *key;
    struct image_value *value;
    const struct image_key *missing;
};

struct asking {
    struct hostlink *link;
    uint32_t key_id;
    const struct image *known;
    struct image *picture;
    struct question *list;
    size_t count, room;
    bool doubts; /* found by the answers */
    struct error *err;
};

static int add(struct asking *a, struct question q)
{
    if (a->count == a->room) {
        size_t room = a->room ? 2 * a->room : 256;
        struct question *bigger = realloc(a->list, room * sizeof(*bigger));

        if (!bigger)
            return ENOMEM;
        a->list = bigger;
        a->room = room;
    }
    a->list[a->count++] = q;
    return 0;
}

/* The known key at the same path, of the same letters; NULL: there is none. */
static const struct image_key *known_child(const struct image_key *known, const struct image_key *key)
{
    bool found;
    uint32_t at;

    if (!known)
        return NULL;
    at = image_search_key(known, key->name, &found);
    return found && utf16_equal(known->keys[at]->name, key->name) ? known->keys[at] : NULL;
}

/* Has one of these keys a twin that stands behind it: the same name with a NUL? */
static bool known_twin(const struct image_key *known, const struct image_key *key)
{
    uint32_t at;
    bool found;

    at = image_search_key(known, key->name, &found) + 1;
    return found && at < known->key_count && known->keys[at]->name.len == key->name.len + 1 &&
           !known->keys[at]->name.units[key->name.len] &&
           !utf16_compare_nocase((struct utf16){known->keys[at]->name.units, key->name.len}, key->name);
}

static bool could_be_hidden(const struct image_key *key)
{
    return !key->value_count && !key->class.len && !(key->flags & KEY_FLAG_LINK);
}

/* The subkeys of a key of the picture that are to be asked for, down to a level. */
static int collect_keys(struct asking *a, struct image_key *key, const struct image_key *known,
                        unsigned level)
{
    int error = 0;
    bool found;

    for (uint32_t i = 0; !error && i < key->key_count; i++) {
        const struct image_key *same = known_child(known, key->keys[i]);

        if (level)
            error = collect_keys(a, key->keys[i], same, level - 1);
        else if (key->keys[i]->doubt != WINEREG_SURE && (!same || known_twin(known, key->keys[i])))
            error = add(a, (struct question){.key = key->keys[i]});
    }
    for (uint32_t i = 0; !error && !level && known && i < known->key_count; i++) {
        image_search_key(key, known->keys[i]->name, &found);
        if (!found && could_be_hidden(known->keys[i]))
            error = add(a, (struct question){.key = key, .missing = known->keys[i]});
    }
    return error;
}

static unsigned depth_of(const struct image_key *key)
{
    unsigned deepest = 0, depth;

    for (uint32_t i = 0; i < key->key_count; i++)
        if ((depth = 1 + depth_of(key->keys[i])) > deepest)
            deepest = depth;
    return deepest;
}

static int collect_values(struct asking *a, struct image_key *key, const struct image_key *known)
{
    int error = 0;

    for (uint32_t i = 0; !error && i < key->value_count; i++) {
        const struct image_value *same = known ? image_find_value(known, key->values[i].name) : NULL;

        if (key->values[i].name.len && (!same || !utf16_equal(same->name, key->values[i].name)))
            error = add(a, (struct question){.key = key, .value = &key->values[i]});
    }
    for (uint32_t i = 0; !error && i < key->key_count; i++)
        error = collect_values(a, key->keys[i], known_child(known, key->keys[i]));
    return error;
}

static int pack_question(struct pack *p, const struct question *q)
{
    struct utf16 path, none = {NULL, 0};
    int error = image_key_path(q->key, &path);

    if (error)
        return error;
    if (q->missing && path.len) {
        uint16_t *longer = realloc((void *)path.units, (path.len + 1 + q->missing->name.len) * 2);

        if (!longer) {
            free((void *)path.units);
            return ENOMEM;
        }
        longer[path.len] = '\\';
        memcpy(longer + path.len + 1, q->missing->name.units, q->missing->name.len * 2);
        path = (struct utf16){longer, path.len + 1 + q->missing->name.len};
    }
    pack_u32(p, q->value ? HOST_ASK_VALUE : HOST_ASK_KEY);
    pack_utf16(p, q->missing && !path.len ? q->missing->name : path);
    pack_utf16(p, q->value ? q->value->name : none);
    free((void *)path.units);
    return p->failed ? ENOMEM : 0;
}

/* A name with a NUL behind it stands where the name stood: nothing sorts between the two. */
static int append_nul(struct utf16 *name)
{
    uint16_t *longer = malloc((name->len + 1) * sizeof(*longer));

    if (!longer)
        return ENOMEM;
    memcpy(longer, name->units, name->len * sizeof(*longer));
    longer[name->len] = 0;
    *name = (struct utf16){longer, name->len + 1};
    return 0;
}

/* The value again, under its true name: a value's name and data are one block of memory. */
static int rename_value(struct asking *a, struct image_key *key, struct utf16 written)
{
    const struct image_value *old = image_find_value(key, written);
    struct change set = {.kind = CHANGE_SET_VALUE}, gone = {.kind = CHANGE_DELETE_VALUE};
    struct utf16 name = written;
    int error;

    if (!old || (error = append_nul(&name)))
        return old ? error : 0;
    if (!(error = image_key_path(key, &set.path))) {
        set.name = name;
        set.type = old->type;
        set.data = old->data;
        set.size_bytes = old->size_bytes;
        gone.path = set.path;
        gone.name = old->name;
        if (!(error = image_apply(a->picture, &set)))
            error = image_apply(a->picture, &gone);
        free((void *)set.path.units);
    }
    free((void *)name.units);
    return error;
}

/* What is written of a key may be another's. */
static void doubt(struct asking *a, struct image_key *key)
{
    if (key->doubt == WINEREG_SURE || !key->parent)
        return;
    key->doubt = WINEREG_TWICE;
    a->doubts = true;
}

static int take_answer(struct asking *a, const struct question *q, uint32_t answer)
{
    struct image_key *made;
    struct utf16 name;
    bool found;
    int error;

    if (q->missing) {
        if (!(answer & HOST_ANSWER_KEYS_ALONE))
            return 0;
        if (!(made = image_add_key(a->picture, q->key, q->missing->name)))
            return errno;
        return 0;
    }
    if (answer != HOST_ANSWER_NUL) {
        /* there as well as its twin; or not at all, and then deleted, or a twin of what is above holds it */
        if ((answer & HOST_ANSWER_NUL) || !answer)
            doubt(a, q->key);
        return 0;
    }
    name = q->key->name;
    if ((error = append_nul(&name)))
        return error;
    image_search_key(q->key->parent, name, &found);
    if (found) /* which has one more, then */
        doubt(a, q->key);
    else
        error = image_rename_key(q->key, name);
    free((void *)name.units);
    return error;
}

/* A value to be renamed. */
struct renaming {
    struct image_key *key;
    struct utf16 name;
};

/* Values change their places when one is renamed, so all their names are taken down first. */
static int rename_values(struct asking *a, const uint32_t *answers)
{
    struct renaming *list = calloc(a->count + 1, sizeof(*list));
    size_t found = 0;
    int error = list ? 0 : ENOMEM;

    for (size_t i = 0; !error && i < a->count; i++) {
        const struct question *q = &a->list[i];
        uint16_t *units;

        if (q->value && !answers[i])
            doubt(a, q->key);
        if (!q->value || !(answers[i] & HOST_ANSWER_NUL))
            continue;
        if (!(units = malloc(q->value->name.len * sizeof(*units)))) {
            error = ENOMEM;
            break;
        }
        memcpy(units, q->value->name.units, q->value->name.len * sizeof(*units));
        list[found++] = (struct renaming){q->key, {units, q->value->name.len}};
    }
    for (size_t i = 0; list && i < found; i++) {
        if (!error)
            error = rename_value(a, list[i].key, list[i].name);
        free((void *)list[i].name.units);
    }
    free(list);
    return error;
}

/* Sends the questions from `first` on, as many as fit into a message; *count: how many. */
static int send_batch(struct asking *a, size_t first, uint32_t **answers, size_t *count)
{
    struct message reply = {.fd = -1};
    struct pack items, p;
    struct unpack u;
    int error = 0;

    pack_init(&items);
    pack_init(&p);
    for (*count = 0; !error && first + *count < a->count && items.len < BATCH_BYTES; ++*count)
        error = pack_question(&items, &a->list[first + *count]);
    if (!error && !(*answers = calloc(*count + 1, sizeof(**answers))))
        error = ENOMEM;
    if (!error) {
        pack_u32(&p, a->key_id);
        pack_u32(&p, (uint32_t)*count);
        pack_raw(&p, items.bytes, items.len);
        error = hostlink_ask(a->link, HOST_ASK, &p, -1, ASK_MS, &reply, &u, a->err);
    }
    if (!error && *answers) {
        bool right = unpack_u32(&u) == *count;

        for (size_t i = 0; i < *count; i++)
            (*answers)[i] = unpack_u32(&u);
        if (!right || unpack_failed(&u))
            error = error_set(a->err, RESULT_INVALID, "regckpt-host lost count of what it was asked");
    }
    message_free(&reply);
    pack_free(&items);
    pack_free(&p);
    return error;
}

/* Asks all that was collected, and only then takes the answers: they change what questions view. */
static int ask(struct asking *a)
{
    uint32_t *all = calloc(a->count + 1, sizeof(*all));
    size_t first = 0;
    int error = all ? 0 : ENOMEM;

    while (!error && first < a->count) {
        uint32_t *answers = NULL;
        size_t count = 0;

        if (!(error = send_batch(a, first, &answers, &count)))
            memcpy(all + first, answers, count * sizeof(*all));
        free(answers);
        first += count;
    }
    for (size_t i = 0; !error && i < a->count; i++)
        if (!a->list[i].value)
            error = take_answer(a, &a->list[i], all[i]);
    if (!error)
        error = rename_values(a, all);
    free(all);
    a->count = 0;
    return error;
}

/* Reads anew what is doubtful.  *again: something was, so that there are new names. */
static int part(struct asking *a, const struct exclude *exclude, bool *again)
{
    int error;

    *again = false;
    if (!a->doubts)
        return 0;
    a->doubts = false;
    if ((error = hostlink_part_twins(a->link, a->key_id, (struct utf16){NULL, 0}, a->picture, again, a->err)))
        return error;
    return *again && exclude ? image_exclude(a->picture, exclude) : 0;
}

static int settle(struct asking *a, const struct exclude *exclude, bool *again)
{
    const struct image_key *root = a->known ? a->known->root : NULL;
    unsigned deepest = depth_of(a->picture->root);
    int error = 0;

    *again = false;
    if (root && depth_of(root) > deepest)
        deepest = depth_of(root);
    for (unsigned level = 0; !error && !*again && level <= deepest; level++)
        if (!(error = collect_keys(a, a->picture->root, root, level)) && !(error = ask(a)))
            error = part(a, exclude, again);
    if (error || *again)
        return error;
    if (!(error = collect_values(a, a->picture->root, root)) && !(error = ask(a)))
        error = part(a, exclude, again);
    return error;
}

int hostlink_settle_names(struct hostlink *link, uint32_t key_id, const struct image *known,
                          const struct exclude *exclude, struct image *picture, struct error *err)
{
    struct asking a = {.link = link, .key_id = key_id, .known = known, .picture = picture, .err = err};
    bool again = true;
    int error = 0;

    err->code = 0;
    if (!picture->root || (known && image_equal(known, picture)))
        return 0;
    while (!error && again) /* each time what is read anew lies deeper */
        error = settle(&a, exclude, &again);
    free(a.list);
    if (error && !err->code)
        error_system(err, error, "cannot look at names that a scan does not tell apart");
    return error;
}
