/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Content of registry and checkpoint for the tests of the monitor, given and looked at as text.
 */
#include <signal.h>
#include <limits.h>
#include <unistd.h>

#include "monitor_fixture.h"
#include "played_wine.h"
#include "ring_private.h"

/* An ASCII text as UTF-16. */
static struct utf16 wide(const char *text, size_t len)
{
    struct utf16 out;

    assert_int_equal(utf16_from_utf8(text, len, &out), 0);
    return out;
}

/* One "PATH\NAME=DATA" or "PATH\". */
static void add_from_text(struct image *image, const char *item, size_t len)
{
    const char *equals = memchr(item, '=', len), *end = equals ? equals : item + len, *name = end;
    struct change c = {.kind = equals ? CHANGE_SET_VALUE : CHANGE_CREATE_KEY, .key_id = 1};

    while (name > item && name[-1] != '\\')
        name--;
    c.path = wide(item, name > item ? (size_t)(name - item - 1) : 0);
    c.name = wide(name, (size_t)(end - name));
    if (equals) {
        c.type = 3;
        c.data = equals + 1;
        c.size_bytes = (uint32_t)(item + len - equals - 1);
    }
    assert_int_equal(image_apply(image, &c), 0);
    free((void *)c.path.units);
    free((void *)c.name.units);
}

void image_from_text(const char *text, struct image *image)
{
    image_init(image);
    if (!text)
        return;
    assert_non_null(image_add_key(image, NULL, (struct utf16){NULL, 0}));
    while (*text) {
        size_t len = strcspn(text, ";");

        add_from_text(image, text, len);
        text += len + (text[len] == ';');
    }
}

static int print_change(const struct change *c, void *arg)
{
    char *path = utf16_for_display(c->path), *name = utf16_for_display(c->name);

    if (c->kind == CHANGE_SET_VALUE)
        fprintf(arg, "%s%s%s=%.*s;", path, *path ? "\\" : "", name, (int)c->size_bytes,
                (const char *)c->data);
    else if (*path)
        fprintf(arg, "%s\\;", path);
    free(path);
    free(name);
    return 0;
}

char *image_to_text(const struct image *image)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    if (!image->root)
        fputs("(none)", out);
    assert_int_equal(image_walk(image, 1, print_change, out), 0);
    fclose(out);
    return text;
}

/* Equal, or the test fails with both texts. */
static void assert_image(const char *where, const struct image *image, const char *text)
{
    struct image expected;

    image_from_text(text, &expected);
    if (!image_equal(image, &expected))
        fail_msg("%s holds %s, not %s", where, image_to_text(image), text ? text : "(none)");
    image_free(&expected);
}

void given_registry(const char *path, const char *text)
{
    struct image image;

    image_from_text(text, &image);
    played_registry_put(fix.prefix, 64, path, &image);
    image_free(&image);
}

void assert_registry(const char *path, const char *text)
{
    struct image image;

    played_registry_get(fix.prefix, 64, path, &image);
    assert_image("the registry", &image, text);
    image_free(&image);
}

/* Opens the checkpoint with a transaction begun; the monitor does not run. */
static struct checkpoint *begin(struct error *err)
{
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);
    struct checkpoint *c;

    if (checkpoint_open(path, &c, err) || checkpoint_begin(c, err))
        fail_msg("%s", err->text);
    free(path);
    return c;
}

static void commit(struct checkpoint *c, int error, struct error *err)
{
    if (error || checkpoint_commit(c, err))
        fail_msg("%s", err->text);
    checkpoint_close(c);
}

struct putting {
    struct checkpoint *checkpoint;
    struct error *err;
};

static int put_change(const struct change *c, void *arg)
{
    struct putting *p = arg;

    return checkpoint_change(p->checkpoint, c, NULL, p->err);
}

uint32_t given_key(const char *path, uint32_t flags, const char *text, const char *exclude_value)
{
    struct registered_key key = {.view = VIEW_64, .path = (char *)path, .flags = flags};
    struct error err;
    struct putting p = {begin(&err), &err};
    struct image image;
    int error;

    if (exclude_value)
        assert_int_equal(exclude_add_value(&key.exclude, exclude_value), 0);
    image_from_text(text, &image);
    if (!(error = checkpoint_put_key(p.checkpoint, &key, &err)))
        error = image_walk(&image, key.id, put_change, &p);
    commit(p.checkpoint, error, &err);
    image_free(&image);
    exclude_free(&key.exclude);
    return key.id;
}

void given_property(const char *name, const char *value)
{
    struct error err;
    struct checkpoint *c = begin(&err);
    struct snapshot s;
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);
    int error = snapshot_read(path, SNAPSHOT_HEAD, &s, &err);

    if (!error && !(error = resource_set(&s.resource, name, value, &err)))
        error = checkpoint_set_resource(c, &s.resource, &err);
    commit(c, error, &err);
    snapshot_free(&s);
    free(path);
}

/* A verified copy of the checkpoint. */
static void read_checkpoint(struct snapshot *s)
{
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);
    struct error err;

    if (snapshot_read(path, 0, s, &err))
        fail_msg("%s", err.text);
    free(path);
}

static const struct snapshot_key *find(const struct snapshot *s, const char *path)
{
    for (size_t i = 0; i < s->key_count; i++)
        if (!strcmp(s->keys[i].key.path, path))
            return &s->keys[i];
    return NULL;
}

bool checkpoint_holds(const char *path, const char *text)
{
    const struct snapshot_key *k;
    struct image expected;
    struct snapshot s;
    bool equal;

    read_checkpoint(&s);
    image_from_text(text, &expected);
    k = find(&s, path);
    equal = k && (k->key.flags & KEY_CAPTURED) && image_equal(&k->image, &expected);
    image_free(&expected);
    snapshot_free(&s);
    return equal;
}

void assert_checkpoint(const char *path, const char *text)
{
    const struct snapshot_key *k;
    struct snapshot s;

    read_checkpoint(&s);
    if (!(k = find(&s, path)) || !(k->key.flags & KEY_CAPTURED))
        fail_msg("%s is not captured", path);
    assert_image("the checkpoint", &k->image, text);
    snapshot_free(&s);
}

bool checkpoint_key(const char *path, struct registered_key *out)
{
    const struct snapshot_key *k;
    struct snapshot s;

    read_checkpoint(&s);
    if ((k = find(&s, path)) && out) {
        memset(out, 0, sizeof(*out)); /* the numbers only */
        out->id = k->key.id;
        out->flags = k->key.flags;
    }
    snapshot_free(&s);
    return k != NULL;
}

void checkpoint_state_read(struct checkpoint_state *state)
{
    struct snapshot s;

    read_checkpoint(&s);
    *state = s.state;
    snapshot_free(&s);
}

bool resource_is_free(void)
{
    struct error err;

    return store_is_owned(fix.store, "app", &err) == 0;
}

bool file_exists(enum store_file which)
{
    char *path = store_path(fix.store, "app", which);
    bool there = !access(path, F_OK);

    free(path);
    return there;
}

void given_file(const char *name, const char *text)
{
    played_write(fix.prefix, name, text, strlen(text));
}

void given_script(const char *script)
{
    given_file("script", script);
}

bool prefix_has(const char *name)
{
    char path[PATH_MAX];

    played_path(fix.prefix, name, path);
    return !access(path, F_OK);
}

unsigned times_asked(const char *request)
{
    static char text[1 << 16];
    size_t len = played_read(fix.prefix, "requests", text, sizeof(text) - 1);
    unsigned count = 0;
    char *line, *rest;

    text[len] = 0;
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        count += !strcmp(line, request);
    return count;
}

pid_t played_pid(const char *name)
{
    char file[64];

    snprintf(file, sizeof(file), "%s.pid", name);
    return (pid_t)played_number(fix.prefix, file, 0);
}

bool played_is_gone(pid_t pid)
{
    return pid <= 0 || ring_process_is_dead((uint32_t)pid);
}

void program_ends(uint32_t code)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", code);
    given_file("program.exit", text);
}
