/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the seeds of all harnesses, with the project's own writers: seeds DIR writes DIR/NAME/SEED.
 * Called by "make fuzz-corpus", after a format has changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "ctlproto.h"
#include "hive.h"
#include "hostproto.h"
#include "regfile_image.h"
#include "ringparts.h"
#include "tdbfile.h"
#include "tdblayout.h"
#include "tdbseal.h"
#include "winereg.h"

static const char *directory;

/* A call that has to work. */
#define WORKS(call) \
    do { \
        struct error works_error = { 0, "" }, *err = &works_error; \
        if (call) { \
            fprintf(stderr, "seeds: %s: %s\n", #call, err->text); \
            exit(1); \
        } \
    } while (0)

/* Writes one seed. */
static void put_seed(const char *name, const char *seed, const void *bytes, size_t len)
{
    char path[4096];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/%s/%s", directory, name, seed);
    out = fopen(path, "w");
    if (!out || fwrite(bytes, 1, len, out) != len || fclose(out)) {
        perror(path);
        exit(1);
    }
}

/* A random image, not a large one. */
static void small_image(unsigned *seed, struct image *image)
{
    image_init(image);
    random_content(seed, image, image_add_key(image, NULL, U("")), 1, 0);
}

/* --- checkpoints --- */

#define CHAINS 3
#define ROOM_BYTES 65536

/* A TDB file without a byte too much. */
struct compact {
    uint8_t bytes[ROOM_BYTES];
    size_t len;
};

static void put_head(struct compact *c, size_t rec_len, size_t key_len, size_t data_len,
                     uint32_t magic)
{
    struct tdb_head head = { .rec_len = (uint32_t)rec_len, .key_len = (uint32_t)key_len,
                             .data_len = (uint32_t)data_len, .magic = magic };

    if (c->len + TDB_RECORD_BYTES + rec_len > sizeof(c->bytes)) abort();
    memcpy(c->bytes + c->len, &head, sizeof(head));
    c->len += TDB_RECORD_BYTES;
}

static int copy_record(const struct tdbfile_record *r, void *arg)
{
    struct compact *c = arg;
    size_t rec_len = (r->key_len + r->data_len + sizeof(uint32_t) + 3) / 4 * 4;

    put_head(c, rec_len, r->key_len, r->data_len, TDB_MAGIC_USED);
    memcpy(c->bytes + c->len, r->key, r->key_len);
    memcpy(c->bytes + c->len + r->key_len, r->data, r->data_len);
    c->len += rec_len;
    return 0;
}

/* The same records with fewer chains and no free space. */
static struct compact *compact_copy(const char *path)
{
    struct compact *c = calloc(1, sizeof(*c));
    const uint32_t chains = CHAINS, no_recovery = 0;
    struct tdbfile f;

    if (!c) abort();
    WORKS(tdbfile_open(&f, path, err));
    WORKS(tdbfile_load(&f, err));
    memcpy(c->bytes, f.bytes, TDB_HEADER_BYTES);
    memcpy(c->bytes + TDB_HEADER_HASH_SIZE, &chains, sizeof(chains));
    memcpy(c->bytes + TDB_HEADER_RECOVERY, &no_recovery, sizeof(no_recovery));
    c->len = tdb_data_start(CHAINS);
    WORKS(tdbfile_walk(&f, copy_record, c, err));
    tdbfile_close(&f);
    tdb_seal(c->bytes, c->len);
    return c;
}

/* Its writer died in a commit that would have changed the free list's start. */
static void interrupt(struct compact *c)
{
    const uint32_t wrong = 1, area = (uint32_t)c->len, undo[4] = { TDB_FREE_LIST_OFFSET, 4, 0, 0 };

    memcpy(c->bytes + TDB_FREE_LIST_OFFSET, &wrong, sizeof(wrong));
    memcpy(c->bytes + TDB_HEADER_RECOVERY, &area, sizeof(area));
    put_head(c, sizeof(undo), area, sizeof(undo), TDB_MAGIC_RECOVERY);
    memcpy(c->bytes + c->len, undo, sizeof(undo));
    c->len += sizeof(undo);
}

static int record_change(const struct change *change, void *arg)
{
    static const struct checkpoint_origin origin = { 1234567, "prog.exe", 42, "node1" };

    return checkpoint_change(arg, change, &origin, NULL);
}

/* Records that make one image of another, with history. */
static void record_images(struct checkpoint *c, uint32_t id, unsigned seed)
{
    struct image nothing, first, second;

    image_init(&nothing);
    small_image(&seed, &first);
    small_image(&seed, &second);
    WORKS(image_diff(&nothing, &first, id, record_change, c));
    WORKS(image_diff(&first, &second, id, record_change, c));
    image_free(&first);
    image_free(&second);
}

/* With so many registered keys, the first captured. */
static void put_checkpoint(const char *seed, unsigned keys, bool interrupted)
{
    char key_path[] = "Software\\A";
    struct registered_key key = { .view = VIEW_64, .path = key_path };
    struct compact *compact;
    struct checkpoint *c;
    struct resource r;
    char path[4096];

    snprintf(path, sizeof(path), "%s/checkpoint.made", directory);
    resource_init(&r);
    WORKS(resource_set(&r, "service", "Svc", err));
    WORKS(checkpoint_create(path, &r, err));
    resource_free(&r);
    WORKS(checkpoint_open(path, &c, err));
    for (unsigned i = 1; i <= keys; i++) {
        key.id = 0;
        key.flags = i == 1 ? KEY_CAPTURED : 0;
        key_path[sizeof(key_path) - 2] = (char)('A' + i);
        WORKS(checkpoint_begin(c, err));
        WORKS(checkpoint_put_key(c, &key, err));
        if (i == 1) record_images(c, key.id, i);
        WORKS(checkpoint_commit(c, err));
    }
    checkpoint_close(c);
    compact = compact_copy(path);
    unlink(path);
    if (interrupted) interrupt(compact);
    put_seed("checkpoint", seed, compact->bytes, compact->len);
    free(compact);
}

/* --- the ring --- */

static void put_ring(const char *seed, unsigned changes)
{
    struct ring_options options = { .lane_count = PARTS_LANES, .lane_bytes = PARTS_LANE_BYTES,
                                    .epoch = 7, .uid = getuid(), .gid = getgid() };
    const struct ring_key keys[2] = { { 1, U("Machine\\Software\\A") }, { 2, U("Machine\\B") } };
    static const struct change kinds[] = {
        { .kind = CHANGE_CREATE_KEY, .key_id = 1, .path = U("a"), .class = U("c"), .key_flags = 1 },
        { .kind = CHANGE_SET_VALUE, .key_id = 1, .path = U("a\\b"), .name = U("v"), .type = 3,
          .data = "data", .size_bytes = 4 },
        { .kind = CHANGE_DELETE_VALUE, .key_id = 2, .name = U("value") },
        { .kind = CHANGE_DELETE_KEY, .key_id = 1, .path = U("a\\b") },
    };
    uint8_t bytes[8192], *to = bytes;
    struct ring r;
    char path[4096];

    snprintf(path, sizeof(path), "%s/ring.made", directory);
    WORKS(ring_create(path, &options, &r, err));
    WORKS(ring_keys_set(&r, keys, 2, err));
    ring_attach_ready(&r, ring_attach(&r, 32, "program.exe"));
    for (unsigned i = 0; i < changes; i++)
        ring_append(&r, i / 4 % PARTS_LANES, 0, &kinds[i % 4], i % 4 ? 0 : RING_VOLATILE);
    for (size_t i = 0; i < PARTS_COUNT; i++) {
        memcpy(to, (uint8_t *)r.shared + ring_parts[i].at, ring_parts[i].bytes);
        to += ring_parts[i].bytes;
    }
    put_seed("ring", seed, bytes, (size_t)(to - bytes));
    ring_close(&r);
    unlink(path);
}

/* --- sockets --- */

/* What a peer says: `first` is the input's first byte, the payload may be empty. */
static void put_said(const char *name, const char *seed, uint8_t first, uint32_t type,
                     const struct pack *payload)
{
    struct pack p;

    pack_init(&p);
    pack_u8(&p, first);
    for (unsigned tag = 1; tag <= 2; tag++) { /* some requests are two */
        pack_u32(&p, 8 + (uint32_t)payload->len);
        pack_u32(&p, type);
        pack_u32(&p, tag);
        pack_raw(&p, payload->bytes, payload->len);
    }
    if (p.failed) abort();
    put_seed(name, seed, p.bytes, p.len);
    pack_free(&p);
}

static void put_messages(void)
{
    struct monitor_status status = { .phase = PHASE_ONLINE, .pid = 1, .epoch = 2,
        .resource = (char *)"erp", .node = (char *)"n", .store = (char *)"/s",
        .prefix = (char *)"/p", .source = (char *)"hook",
        .not_hooked = (char *)"a.exe: why", .last_error = (char *)"" };
    struct registered_key key = { .id = 1, .view = VIEW_32, .path = (char *)"Software\\A" };
    const struct change change = { .kind = CHANGE_SET_VALUE, .key_id = 1, .path = U("a\\b"),
                                   .name = U("v"), .type = 1, .data = "x", .size_bytes = 1 };
    struct pack p;

    pack_init(&p);
    pack_monitor_status(&p, &status);
    put_said("message", "status", 0, CTL_REPLY, &p);
    pack_reset(&p);
    WORKS(exclude_add_key(&key.exclude, "Cache\\*"));
    WORKS(exclude_add_value(&key.exclude, "Last?Run"));
    pack_registered_key(&p, &key);
    put_said("message", "registered-key", 1, CTL_ADD, &p);
    exclude_free(&key.exclude);
    pack_reset(&p);
    pack_u32(&p, 2);
    pack_change(&p, &change);
    pack_change(&p, &(struct change){ .kind = CHANGE_CREATE_KEY, .class = U("c") });
    put_said("message", "changes", 2, CTL_DIFF, &p);
    pack_reset(&p);
    pack_u32(&p, 1);
    pack_text(&p, "lag");
    pack_text(&p, "100");
    put_said("message", "set", 5, CTL_SET, &p);
    pack_free(&p);
}

/* Replies that are done ("status 0"), with so much behind it. */
static void put_reply(const char *seed, uint8_t ask, uint32_t status, const uint32_t *numbers,
                      size_t count, const char *text)
{
    struct pack p;

    pack_init(&p);
    pack_u32(&p, status);
    pack_u32(&p, status ? HOST_ERROR_NTSTATUS : 0);
    pack_text(&p, status ? "NtSaveKey" : "");
    for (size_t i = 0; i < count; i++) pack_u32(&p, numbers[i]);
    if (text) {
        pack_text(&p, text);
        for (unsigned i = 0; i < 3; i++) pack_u32(&p, 1);
    }
    put_said("hostlink", seed, ask, HOST_REPLY, &p);
    pack_free(&p);
}

/* The first bytes are those of fuzz_hostlink.c's list. */
static void put_hosts(void)
{
    struct pack p;

    pack_init(&p);
    pack_u32(&p, HOSTPROTO_VERSION);
    pack_u32(&p, HOST_LAUNCHER);
    pack_u32(&p, 64);
    pack_u32(&p, 7);
    pack_text(&p, "Svc");
    put_said("hostlink", "hello", 0, HOST_HELLO, &p);
    pack_reset(&p);
    pack_u32(&p, 0);
    pack_u32(&p, 0);
    pack_text(&p, "");
    pack_u32(&p, 2);
    for (uint32_t id = 1; id <= 2; id++) {
        pack_u32(&p, id);
        pack_u32(&p, id == 1);
        pack_utf16(&p, U("\\Registry\\Machine\\Software\\A"));
    }
    put_said("hostlink", "keys", 1, HOST_REPLY, &p);
    pack_reset(&p);
    pack_u32(&p, 1);
    put_said("hostlink", "events", 11, HOST_CHANGED, &p);
    pack_free(&p);
    put_reply("arm", 2, 0, (uint32_t[]){ 1 }, 1, NULL);
    put_reply("scan", 3, 0, (uint32_t[]){ 1, 5, 0, 7, 0, 0 }, 6, NULL);
    put_reply("load", 4, 0, NULL, 0, NULL);
    put_reply("apply", 5, 0, (uint32_t[]){ 1 }, 1, NULL);
    put_reply("apply-fails", 5, 0xc0000022, (uint32_t[]){ 1 }, 1, NULL);
    put_reply("marker", 6, 0, NULL, 0, NULL);
    put_reply("service", 7, 0, (uint32_t[]){ 64, 1 }, 2, "C:\\svc.exe");
    put_reply("application", 8, 0, (uint32_t[]){ 32, 1 }, 2, "C:\\program.exe");
    put_reply("start", 9, 0, (uint32_t[]){ 32 }, 1, "");
    put_reply("unwrap", 10, 0, (uint32_t[]){ 64, 1 }, 2, "host --start 3 -- C:\\svc.exe");
}

/* --- texts --- */

static void put_texts(void)
{
    static const char version_4[] = "REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\Software\\Tree\\a]\r\n"
        "@=\"\\\"x\\\\\"\r\n\"v\"=hex(2):41,\\\r\n  00\r\n\"w\"=-\r\n"
        "[-HKEY_LOCAL_MACHINE\\Software\\Tree\\b]\r\n";
    static const char utf_8[] = "Windows Registry Editor Version 5.00\n\n; text\n"
        "[HKEY_LOCAL_MACHINE\\Software\\Tree]\n\"\xc3\xa9\"=dword:0000000a\n@=hex(7):61,00,00,00\n";

    put_seed("regfile", "version-4", version_4, sizeof(version_4) - 1);
    put_seed("regfile", "utf-8", utf_8, sizeof(utf_8) - 1);
    for (unsigned i = 1; i <= 3; i++) {
        unsigned random = i;
        struct image image;
        char seed[16], *bytes;
        uint8_t *hive;
        size_t len;
        FILE *out;

        snprintf(seed, sizeof(seed), "image-%u", i);
        small_image(&random, &image);
        WORKS(write_regfile(&image, true, NULL, NULL, &bytes, &len, err));
        put_seed("regfile", seed, bytes, len);
        free(bytes);
        if (!(out = open_memstream(&bytes, &len))) abort();
        WORKS((err->code = winereg_write(&image, out)));
        fclose(out);
        put_seed("winereg", seed, bytes, len);
        free(bytes);
        WORKS(hive_write(&image, U("Root"), 0, &hive, &len, err));
        put_seed("hive", seed, hive, len);
        free(hive);
        image_free(&image);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: seeds DIR\n");
        return 100;
    }
    directory = argv[1];
    put_checkpoint("empty", 0, false);
    put_checkpoint("two-keys", 2, false);
    put_checkpoint("interrupted", 0, true);
    put_ring("changes", 4);
    put_ring("full", 40);
    put_messages();
    put_hosts();
    put_texts();
    return 0;
}
