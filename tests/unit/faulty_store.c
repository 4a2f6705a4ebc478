/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loading the faults into the monitor, and setting them.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faulty_store.h"

struct faults *faults;
static char file[128], library[PATH_MAX];

static void load(void)
{
    const char *options = getenv("ASAN_OPTIONS");
    char more[1024];

    setenv("LD_PRELOAD", library, 1);
    setenv("FAULTS", file, 1);
    snprintf(more, sizeof(more), "%s:verify_asan_link_order=0", options ? options : "");
    setenv("ASAN_OPTIONS", *more == ':' ? more + 1 : more, 1);
}

static void find_library(void)
{
    assert_true(snprintf(library, sizeof(library), "%s/../preload/faults.so", fixture_own_dir()) <
                (int)sizeof(library));
    assert_int_equal(access(library, R_OK), 0);
}

void faulty_store_setup(void)
{
    FILE *conf;
    int fd;

    if (!*library)
        find_library();
    snprintf(file, sizeof(file), "%s/faults", fix.dir);
    assert_true((fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) >= 0);
    assert_int_equal(ftruncate(fd, sizeof(*faults)), 0);
    if (faults)
        munmap(faults, sizeof(*faults));
    faults = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(faults, MAP_FAILED);
    close(fd);
    snprintf(faults->dir, sizeof(faults->dir), "%s", fix.store);
    assert_non_null(conf = fopen(fix.conf, "a"));
    fprintf(conf, "storage_timeout = %d\n", PATIENCE_S);
    fclose(conf);
    fix.before_exec = load;
}

void storage_is(enum storage_fault fault)
{
    __atomic_store_n(&faults->storage, fault, __ATOMIC_RELEASE);
}

uint64_t checkpoint_file(void)
{
    char path[PATH_MAX];
    struct stat st;

    snprintf(path, sizeof(path), "%s/app/checkpoint.tdb", fix.store);
    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

uint64_t storage_stalled_since(void)
{
    struct monitor_status s;
    uint64_t since;

    ctl_status(&s);
    since = s.busy_since;
    monitor_status_free(&s);
    return since;
}
