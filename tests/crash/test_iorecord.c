/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recording names the files that the process named, wherever in its memory the name begins: a name
 * that goes over the end of a page is one name too.
 */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "iorecord.h"
#include "iotrace.h"

#define PAGE_BYTES 4096

static char dir[] = "/tmp/regckpt-iorecord-XXXXXX";

/* The name of a file, `before` bytes of which lie in the first of two pages; nothing is behind these. */
static char *name_at(char *pages, size_t before, const char *name)
{
    char path[100];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

    assert_in_range(before, 1, len + 1);
    return memcpy(pages + PAGE_BYTES - before, path, (size_t)len + 1);
}

/* Two pages and one that cannot be read. */
static char *new_pages(void)
{
    char *pages = mmap(NULL, 3 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED || mprotect(pages + 2 * PAGE_BYTES, PAGE_BYTES, PROT_NONE)) abort();
    return pages;
}

/* Makes a file, gives it a second name, renames that and removes both. */
static int act(size_t before)
{
    char *one = name_at(new_pages(), before, "one"), *two = name_at(new_pages(), before, "two");
    char *six = name_at(new_pages(), before, "six");
    int fd;

    iotrace_me();
    fd = open(one, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) || close(fd)) return 1;
    return link(one, two) || rename(two, six) || unlink(six) || unlink(one);
}

static void check(const struct io *op, enum io_kind kind, const char *path, const char *to)
{
    assert_int_equal(op->kind, kind);
    if (path) assert_string_equal(op->path, path);
    else assert_null(op->path);
    if (to) assert_string_equal(op->to, to);
    else assert_null(op->to);
}

static void test_names_at_the_end_of_a_page(void **state)
{
    size_t len = strlen(dir) + strlen("/one");
    struct iorecord r;
    pid_t pid;

    (void)state;
    for (size_t before = 1; before <= len + 1; before++) {
        assert_true((pid = fork()) >= 0);
        if (!pid) _exit(act(before));
        iorecord_run(&r, pid, dir, &pid, sizeof(pid));
        assert_int_equal(r.status, 0);
        assert_int_equal(r.count, 7);
        check(&r.ops[0], IO_CREATE, "one", NULL);
        check(&r.ops[1], IO_WRITE, NULL, NULL);
        check(&r.ops[2], IO_SYNC, NULL, NULL);
        check(&r.ops[3], IO_LINK, "one", "two");
        check(&r.ops[4], IO_RENAME, "two", "six");
        check(&r.ops[5], IO_UNLINK, "six", NULL);
        check(&r.ops[6], IO_UNLINK, "one", NULL);
        iorecord_free(&r);
    }
}

static void test_name_at_the_end_of_memory(void **state)
{
    char text[PATH_MAX], *pages = new_pages(), *end = pages + 2 * PAGE_BYTES;

    (void)state;
    memcpy(end - 4, "abc", 4);
    iotrace_text(getpid(), (uintptr_t)end - 4, text);
    assert_string_equal(text, "abc");
    memcpy(end - 4, "abcd", 4); /* which is not ended */
    iotrace_text(getpid(), (uintptr_t)end - 4, text);
    assert_string_equal(text, "abcd");
    memset(pages, 'a', 2 * PAGE_BYTES); /* longer than a name can be */
    iotrace_text(getpid(), (uintptr_t)pages, text);
    assert_int_equal(strlen(text), PATH_MAX - 1);
    iotrace_text(getpid(), (uintptr_t)end, text);
    assert_string_equal(text, "");
    munmap(pages, 3 * PAGE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_at_the_end_of_a_page),
        cmocka_unit_test(test_name_at_the_end_of_memory),
    };
    int failed;

    if (!mkdtemp(dir)) return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(dir) ? 99 : failed;
}
