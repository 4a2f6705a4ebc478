/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is said of the file system that a store lies on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_fs.h"

static const struct {
    const char *type, *options;
    enum store_fs_grade grade;
    const char *word; /* of the advice; "": there is none */
} cases[] = {
    {"ext4", "rw,relatime", STORE_FS_LOCAL, ""},
    {"xfs", "rw,noquota", STORE_FS_LOCAL, ""},
    {"ext4", "rw,nobarrier", STORE_FS_DOUBT, "power cut"},
    {"ext4", "rw,nobarriers_of_another_kind", STORE_FS_LOCAL, ""},
    {"nfs4", "rw,vers=4.2,hard,local_lock=none", STORE_FS_SHARED, ""},
    {"nfs4", "rw,vers=4.2,soft,local_lock=none", STORE_FS_DOUBT, "soft"},
    {"nfs", "rw,vers=3,hard,local_lock=none", STORE_FS_DOUBT, "--takeover"},
    {"nfs", "rw,vers=3,nolock", STORE_FS_BAD, "two nodes"},
    {"nfs", "rw,vers=3,hard,local_lock=all", STORE_FS_BAD, "two nodes"},
    {"nfs4", "rw,vers=4.0,local_lock=posix", STORE_FS_BAD, "two nodes"},
    {"nfs", "rw,vers=3,local_lock=flock", STORE_FS_DOUBT, "--takeover"},
    {"gfs2", "rw", STORE_FS_SHARED, ""},
    {"fuse.glusterfs", "rw", STORE_FS_DOUBT, "direct-io-mode=enable"},
    {"fuse.sshfs", "rw", STORE_FS_DOUBT, "--peer"},
    {"fuse", "rw", STORE_FS_DOUBT, "--peer"},
    {"cifs", "rw,vers=3.0", STORE_FS_DOUBT, "--peer"},
    {"cifs", "rw,vers=3.0,nobrl", STORE_FS_BAD, "nobrl"},
    {"tmpfs", "rw", STORE_FS_DOUBT, "memory"},
    {"overlay", "rw", STORE_FS_DOUBT, "machine"},
    {"newfs", "rw", STORE_FS_DOUBT, "nothing is known"},
};

static void test_judgements(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_fs fs = {0};

        snprintf(fs.type, sizeof(fs.type), "%s", cases[i].type);
        store_fs_judge(&fs, cases[i].options);
        if (fs.grade != cases[i].grade || !strstr(fs.advice, cases[i].word) ||
            !*fs.advice != !*cases[i].word)
            fail_msg("%s, %s: grade %d, \"%s\"", cases[i].type, cases[i].options, fs.grade, fs.advice);
    }
}

static void test_directories_of_this_machine(void **state)
{
    struct store_fs fs;
    struct error err;

    (void)state;
    assert_int_equal(store_fs_find("/proc", &fs, &err), 0);
    assert_string_equal(fs.type, "proc");
    assert_int_equal(store_fs_find("/", &fs, &err), 0);
    assert_true(*fs.type);
    assert_int_not_equal(store_fs_find("/no/such/dir", &fs, &err), 0);
    assert_non_null(strstr(err.text, "/no/such/dir"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judgements),
        cmocka_unit_test(test_directories_of_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
