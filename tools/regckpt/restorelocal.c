/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "before.h"
#include "livekeys.h"
#include "restorelocal.h"

struct scanning {
    struct wineside *wine;
    const struct registered_key *key;
    const struct image *was;
};

static int scan(void *arg, struct image *live, struct error *err)
{
    struct scanning *s = arg;

    return wineside_scan(s->wine, s->key, s->was, live, err);
}

/* One key as it was, but for what it excludes by now. */
static int put_back(struct wineside *w, const struct registered_key *key, struct before_key *was,
                    struct error *err)
{
    struct scanning s = {w, key, &was->image};
    struct hostlink_restore r = {.link = &w->link, .key_id = key->id, .want = &was->image,
                                 .scan = scan, .arg = &s};
    struct exclude exclude = {0};
    struct image live;
    int result;

    image_init(&live);
    if (registered_key_effective_exclude(key, &exclude) || image_exclude(&was->image, &exclude))
        result = error_system(err, ENOMEM, "Putting back the key \"%s\"", key->path);
    else if (!(result = wineside_scan(w, key, &was->image, &live, err)))
        result = hostlink_restore(&r, &live, err);
    exclude_free(&exclude);
    return result ? error_prefix(err, "HKLM\\%s could not be put back", key->path) : RESULT_OK;
}

static int put_back_all(const struct cli *cli, const struct snapshot *s, struct wineside *w,
                        const struct before *b, struct progress *p, struct error *err)
{
    int result = live_keys_tell(s, w, err);

    for (size_t i = 0; !result && i < s->key_count; i++) {
        const struct registered_key *key = &s->keys[i].key;
        struct before_key *was = (struct before_key *)before_find(b, key);

        progress_say(p, "Putting back what this node's registry held");
        if (was)
            result = put_back(w, key, was, err);
        else
            cli_note(cli, "\"%s\" was registered later and is left as it is.", key->path);
    }
    return result;
}

int restore_local(const struct cli *cli, const char *name, const char *prefix, struct progress *p,
                  struct error *err)
{
    struct wine_place place;
    struct wineside wine;
    struct snapshot s;
    struct before b;
    int result = access_read(cli, name, SNAPSHOT_HEAD, &s, err);

    if (result)
        return result;
    if ((result = wine_place_find(&s.resource, prefix, &cli->settings, &place, err))) {
        snapshot_free(&s);
        return result;
    }
    result = before_read(&cli->settings, name, place.prefix, &b, err);
    if (result == RESULT_NOT_FOUND)
        error_set(err, result,
                  "Nothing is kept of what the registry in %s held before %s went online there: it has "
                  "been put back already, %s was never online there, or its log says why.",
                  place.prefix, name, name);
    if (!result) {
        if (!(result = wineside_open(cli, name, &s.resource, prefix, p, &wine, err))) {
            result = put_back_all(cli, &s, &wine, &b, p, err);
            wineside_close(&wine);
        }
        if (!result)
            result = before_remove(&cli->settings, name, place.prefix, err);
        before_free(&b);
    }
    wine_place_free(&place);
    snapshot_free(&s);
    return result;
}
