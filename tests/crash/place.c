/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/mman.h>
#include <sys/wait.h>

#include "iotrace.h"
#include "../../tools/regckpt/storeask.h"
#include "place.h"

struct place here;

void place_begin(void)
{
    strcpy(here.dir, access("/dev/shm", W_OK) ? "/tmp/regckpt-crash-XXXXXX"
                                              : "/dev/shm/regckpt-crash-XXXXXX");
    assert_non_null(mkdtemp(here.dir));
    snprintf(here.store, sizeof(here.store), "%s/store", here.dir);
    snprintf(here.checkpoint, sizeof(here.checkpoint), "%s/res/checkpoint.tdb", here.store);
    snprintf(here.good, sizeof(here.good), "%s/res/last-good.tdb", here.store);
    here.told = mmap(NULL, sizeof(*here.told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0);
    assert_true(here.told != MAP_FAILED);
    image_init(&here.content);
}

void place_end(void)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -rf %s", here.dir);
    assert_int_equal(system(command), 0);
    image_free(&here.content);
    munmap(here.told, sizeof(*here.told));
}

void place_given_store(void)
{
    struct resource r;
    bool made;

    WORKS(store_init(here.store, &made, err));
    resource_init(&r);
    WORKS(resource_set(&r, "service", "Svc", err));
    WORKS(store_create_resource(here.store, "res", &r, err));
    resource_free(&r);
}

int place_write_values(unsigned first, uint8_t data, struct error *err)
{
    struct registered_key key = { .view = VIEW_64, .path = (char *)"Software\\Vendor",
                                  .flags = KEY_CAPTURED };
    struct fixture f = { .id = 1 };
    uint8_t bytes[900];
    uint16_t name[2];
    int ret;

    memset(bytes, data, sizeof(bytes));
    if ((ret = checkpoint_open(here.checkpoint, &f.c, err))) return ret;
    if (!(ret = checkpoint_begin(f.c, err)) && !first &&
        !(ret = checkpoint_put_key(f.c, &key, err)))
        ret = make_key(&f, EMPTY, NULL, err);
    for (unsigned i = first; !ret && i < first + VALUES; i++) {
        name[0] = 'v';
        name[1] = (uint16_t)('0' + i);
        ret = set_value(&f, EMPTY, ((struct utf16){ name, 2 }), 3, bytes, sizeof(bytes),
                        &test_origin, err);
    }
    if (!ret) ret = checkpoint_commit(f.c, err);
    checkpoint_close(f.c);
    return ret;
}

void place_keep_good(void)
{
    struct checkpoint *c;

    WORKS(checkpoint_open(here.checkpoint, &c, err));
    WORKS(checkpoint_keep_last_good(c, here.good, err));
    checkpoint_close(c);
}

void place_given_content(void)
{
    place_given_store();
    WORKS(place_write_values(0, 1, err));
    place_keep_good();
    here.content = place_content(here.checkpoint, "before");
}

struct image place_content(const char *path, const char *what)
{
    struct snapshot s;
    struct image image;
    struct error err;

    if (snapshot_read(path, 0, &s, &err)) fail_msg("%s: %s", what, err.text);
    if (s.key_count != 1) fail_msg("%s: %zu keys", what, s.key_count);
    image = s.keys[0].image;
    image_init(&s.keys[0].image);
    snapshot_free(&s);
    return image;
}

void place_check_content(const char *path, const char *what)
{
    struct image now = place_content(path, what);

    if (!image_equal(&now, &here.content)) fail_msg("%s: %s holds something else", what, path);
    image_free(&now);
}

void place_must(int ret, const struct error *err, const char *what)
{
    if (ret) fail_msg("%s: %s", what, err->text);
}

int place_verb(int (*verb)(int argc, char **argv), const char *const *more)
{
    char *args[16] = { (char *)"regckpt", (char *)"--store", here.store, (char *)"res" };
    int argc = 4;

    while (*more && argc < 15) args[argc++] = (char *)*more++;
    if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)) return 99;
    optind = 0; /* another verb may have been before */
    store_is_watched(); /* its work is done here, where it is recorded, and not by a child */
    return verb(argc, args);
}

int place_verb_apart(int (*verb)(int argc, char **argv), const char *const *more)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (!pid) _exit(place_verb(verb, more));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void look(void *arg, const void *seen, const char *what)
{
    struct told told;

    memcpy(&told, seen, sizeof(told));
    (*(place_check **)arg)(&told, what);
}

void place_cut(int (*act)(struct error *err), place_check *check, unsigned long *points,
               unsigned long *states)
{
    struct disk *d = disk_new(here.dir);
    struct iorecord record;
    pid_t pid;

    memset(here.told, 0, sizeof(*here.told));
    assert_true((pid = fork()) >= 0);
    if (!pid) {
        struct error err = { 0, "" };

        iotrace_me();
        here.told->result = act(&err);
        memcpy(here.told->text, err.text, sizeof(err.text));
        here.told->done = true;
        _exit(0);
    }
    iorecord_run(&record, pid, here.dir, here.told, sizeof(*here.told));
    assert_int_equal(record.status, 0);
    if (here.told->result) fail_msg("%s", here.told->text);
    cut_everywhere(d, &record, look, &check, points, states);
    disk_free(d);
    iorecord_free(&record);
}

void place_cut_all(const char *name, void (*given)(void), int (*act)(struct error *err),
                   place_check *check)
{
    unsigned long points = 0, states = 0;

    place_begin();
    if (given) given();
    place_cut(act, check, &points, &states);
    print_message("%s: %lu points, %lu states of the disk (SEED=%llu)\n", name, points, states,
                  cut_seed());
    assert_true(points > 3 && states > 3);
    place_end();
}
