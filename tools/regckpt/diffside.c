/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "diffside.h"
#include "hive.h"
#include "import.h"
#include "livekeys.h"
#include "rollback_plan.h"
#include "timepoint.h"

#define LIVE "live"
#define CHECKPOINT "checkpoint"
#define LAST_GOOD "last-good"

static const char not_captured[] = "not captured yet: the first online captures it as it is";
static const char not_there_then[] = "registered or captured after that point: not compared";
static const char not_in_file[] = "not in the file: not compared";

int diff_request_begin(struct snapshot *s, struct error *err)
{
    for (size_t i = 0; i < s->key_count; i++) {
        struct exclude exclude = {0};

        if (registered_key_effective_exclude(&s->keys[i].key, &exclude) ||
            image_exclude(&s->keys[i].image, &exclude)) {
            exclude_free(&exclude);
            return error_system(err, ENOMEM, "Reading the key \"%s\"", s->keys[i].key.path);
        }
        exclude_free(&exclude);
    }
    return RESULT_OK;
}

/* The registry: of the monitor if it is online here, else of the prefix. */
static int read_live(const struct diff_request *r, struct diff_side *side, struct error *err)
{
    struct wineside opened, *w = r->wine;
    int sock = w ? -1 : ctl_connect(r->cli, r->name, err), result = RESULT_OK;

    if (sock >= 0) {
        result = live_keys_online(r->s, sock, r->p, side->own, err);
        close(sock);
    } else if (!w && err->code) {
        result = err->code;
    } else if (w || !(result = wineside_open(r->cli, r->name, &r->s->resource, r->prefix, r->p,
                                             &opened, err))) {
        result = live_keys_offline(r->s, w ? w : &opened, side->own, err);
        if (!w)
            wineside_close(&opened);
    }
    snprintf(side->words, sizeof(side->words), "here now");
    return result;
}

static int read_checkpoint(const struct diff_request *r, struct diff_side *side)
{
    for (size_t i = 0; i < r->s->key_count; i++) {
        side->images[i] = &r->s->keys[i].image;
        if (!(r->s->keys[i].key.flags & KEY_CAPTURED))
            side->missing[i] = not_captured;
    }
    snprintf(side->words, sizeof(side->words), "in the checkpoint");
    return RESULT_OK;
}

/* The image that a plan has of a registered key, taken out of it, without what is excluded now. */
static int take_image(struct rollback_plan *plan, const struct registered_key *key,
                      struct image *out, struct error *err)
{
    struct exclude exclude = {0};
    int result = RESULT_OK;

    for (size_t i = 0; i < plan->now.key_count; i++)
        if (plan->now.keys[i].key.id == key->id) {
            *out = plan->then[i];
            image_init(&plan->then[i]);
        }
    if (registered_key_effective_exclude(key, &exclude) || image_exclude(out, &exclude))
        result = error_system(err, ENOMEM, "Reading the key \"%s\"", key->path);
    exclude_free(&exclude);
    return result;
}

/* A point of the history, or the last good checkpoint: what a rollback would put back. */
static int read_point(const struct diff_request *r, struct diff_side *side, struct error *err)
{
    struct rollback_plan plan;
    bool damaged;
    int result = rollback_plan_make(r->cli, side->word, NULL, &plan, &damaged, err);

    if (result)
        return result;
    for (size_t i = 0; !result && i < r->s->key_count; i++) {
        const struct registered_key *key = &r->s->keys[i].key;

        if (!(key->flags & KEY_CAPTURED))
            side->missing[i] = not_captured;
        else if (rollback_plan_passes_over(&plan, key->id))
            side->missing[i] = not_there_then;
        else
            result = take_image(&plan, key, &side->own[i], err);
    }
    snprintf(side->words, sizeof(side->words), "%s", plan.point);
    rollback_plan_free(&plan);
    return result;
}

/* A file, read as into a checkpoint that holds nothing; only what it names is compared. */
static int read_file(const struct diff_request *r, struct diff_side *side, struct error *err)
{
    struct import im = {.name = r->name, .file = side->word, .place = r->key, .view = r->view,
                        .note_named = true};
    struct snapshot empty;
    uint8_t *bytes;
    size_t len;
    int result = regfile_load(side->word, &bytes, &len, err);

    if (result)
        return result;
    if ((result = access_read(r->cli, r->name, SNAPSHOT_HEAD, &empty, err))) {
        free(bytes);
        return result;
    }
    for (size_t i = 0; i < empty.key_count; i++)
        empty.keys[i].key.flags |= KEY_FUTURE; /* nothing of it could be lost */
    im.now = &empty;
    if (!(side->scopes = calloc(r->s->key_count + 1, sizeof(*side->scopes))))
        result = error_system(err, ENOMEM, "Reading %s", side->word);
    if (!result && !(result = import_begin(&im, err)))
        result = (hive_is(bytes, len) ? import_apply_hive : import_apply)(&im, bytes, len, err);
    for (size_t i = 0; !result && i < r->s->key_count; i++) {
        side->missing[i] = not_in_file;
        for (size_t n = 0; n < empty.key_count; n++)
            if (empty.keys[n].key.id == r->s->keys[i].key.id && im.targets[n].touched) {
                side->own[i] = im.targets[n].after;
                side->scopes[i] = im.targets[n].named;
                image_init(&im.targets[n].after);
                image_init(&im.targets[n].named);
                side->missing[i] = NULL;
            }
    }
    snprintf(side->words, sizeof(side->words), "in %s", side->word);
    import_free(&im);
    snapshot_free(&empty);
    free(bytes);
    return result;
}

/* A number of a change or a time; what is neither is a file. */
static bool is_point(const char *word)
{
    struct timeval now;
    struct error err;
    uint64_t time;

    if (*word && strspn(word, "0123456789") == strlen(word))
        return true;
    gettimeofday(&now, NULL);
    return !timepoint_parse(word, (uint64_t)now.tv_sec * 1000000, &time, &err);
}

int diff_side_read(const struct diff_request *r, const char *word, struct diff_side *side,
                   struct error *err)
{
    size_t count = r->s->key_count + 1;
    struct stat st;
    int result;

    *side = (struct diff_side){.word = word};
    side->images = calloc(count, sizeof(*side->images));
    side->missing = calloc(count, sizeof(*side->missing));
    side->own = calloc(count, sizeof(*side->own));
    if (!side->images || !side->missing || !side->own)
        return error_system(err, ENOMEM, "Comparing %s", r->name);
    for (size_t i = 0; i < r->s->key_count; i++) {
        image_init(&side->own[i]);
        side->images[i] = &side->own[i];
    }
    if (!strcmp(word, LIVE))
        result = read_live(r, side, err);
    else if (!strcmp(word, CHECKPOINT))
        result = read_checkpoint(r, side);
    else if (!strcmp(word, LAST_GOOD) || is_point(word))
        result = read_point(r, side, err);
    else if (strcmp(word, "-") && stat(word, &st))
        result = error_set(err, RESULT_USAGE, "\"%s\" cannot be compared: it is none of %s, and "
                           "there is no file of this name. Times are %s.", word, DIFF_SIDE_FORMS,
                           TIMEPOINT_FORMS);
    else
        result = read_file(r, side, err);
    return result;
}

void diff_side_free(const struct diff_request *r, struct diff_side *side)
{
    for (size_t i = 0; i < r->s->key_count; i++) {
        if (side->own)
            image_free(&side->own[i]);
        if (side->scopes)
            image_free(&side->scopes[i]);
    }
    free(side->scopes);
    free(side->own);
    free(side->images);
    free(side->missing);
    *side = (struct diff_side){0};
}

int diff_sides(const struct diff_request *r, const struct diff_side *from,
               const struct diff_side *to, struct json *j, struct compare_totals *totals,
               struct error *err)
{
    int result = RESULT_OK;

    for (size_t i = 0; !result && i < r->s->key_count; i++) {
        const struct registered_key *key = &r->s->keys[i].key;
        const char *missing = from->missing[i] ? from->missing[i] : to->missing[i];
        const struct image *const scopes[2] = {from->scopes ? &from->scopes[i] : NULL,
                                               to->scopes ? &to->scopes[i] : NULL};

        if (missing)
            compare_left_out(key, missing, j, totals);
        else
            result = compare_images(key, from->images[i], to->images[i], scopes, j, totals, err);
    }
    return result;
}

/* Does the diff say what the next online would do? */
static bool is_online_preview(const struct diff_side *from, const struct diff_side *to)
{
    return !strcmp(from->word, LIVE) && !strcmp(to->word, CHECKPOINT);
}

void diff_print_totals(const struct diff_request *r, const struct diff_side *from,
                       const struct diff_side *to, const struct compare_totals *totals)
{
    bool preview = is_online_preview(from, to);

    if (compare_found(totals))
        printf("%s: - %s, + %s: %llu added, %llu changed, %llu removed.\n", r->name, from->words,
               preview ? "after online" : to->words, (unsigned long long)totals->added,
               (unsigned long long)totals->changed, (unsigned long long)totals->removed);
    else if (preview)
        printf("%s: the registry here is equal to the checkpoint.\n", r->name);
    else
        printf("%s: no difference: - %s, + %s.\n", r->name, from->words, to->words);
}
