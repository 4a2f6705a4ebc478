/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Repairing a checkpoint: the input is the damaged file.  What comes out must be whole, and where
 * nothing can be saved the file must stay as it was.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "checkpoint_repair.h"
#include "fuzz.h"
#include "tdbmutate.h"

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
    return tdb_mutate(bytes, len, room, seed);
}

static char dir[4000], path[4096], none[4096];

static void remove_dir(void)
{
    unlink(path);
    rmdir(dir);
}

static void make_dir(void)
{
    const char *parent = getenv("TMPDIR");

    snprintf(dir, sizeof(dir), "%s/regckpt-fuzz-XXXXXX", parent ? parent : "/tmp");
    FUZZ_HOLDS(mkdtemp(dir));
    atexit(remove_dir);
    snprintf(path, sizeof(path), "%s/checkpoint.tdb", dir);
    snprintf(none, sizeof(none), "%s/last-good.tdb", dir);
}

static void put_file(const uint8_t *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_HOLDS(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

/* Does the file still hold these bytes? */
static bool is_file(const char *name, const uint8_t *bytes, size_t len)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    uint8_t *now = malloc(len + 1);
    bool same;

    FUZZ_HOLDS(fd >= 0 && now);
    same = read(fd, now, len + 1) == (ssize_t)len && !memcmp(now, bytes, len);
    free(now);
    close(fd);
    return same;
}

static void use_loss(const char *where, const char *what, void *arg)
{
    fuzz_use(where, strlen(where));
    fuzz_use(what, strlen(what));
    ++*(uint64_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct error err = { 0, "" };
    struct repair repair;
    uint64_t lost = 0;
    int before, ret;

    if (!*dir) make_dir();
    put_file(bytes, len);
    before = fuzz_open_descriptors();
    ret = checkpoint_repair(path, none, use_loss, &lost, &repair, &err);
    FUZZ_HOLDS(fuzz_open_descriptors() == before);
    if (ret || !repair.needed) {
        FUZZ_HOLDS(is_file(path, bytes, len));
    } else {
        FUZZ_HOLDS(repair.lost == lost && is_file(repair.kept, bytes, len));
        FUZZ_HOLDS(!unlink(repair.kept));
    }
    if (!ret && checkpoint_verify(path, NULL, NULL, &err)) {
        fprintf(stderr, "%s\n", err.text);
        FUZZ_HOLDS(!"what was repaired is whole");
    }
    if (!ret) free(repair.kept);
    return 0;
}
