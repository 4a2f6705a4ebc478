/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the monitor share: a store with one resource "app" and a prefix of a played Wine
 * in a temporary directory, the real regckpt-monitor running on them, and what the command would ask
 * it.  Everything fails the test in hand where it goes wrong.  Waiting is for conditions, bounded.
 *
 * Content is written as text: "a=1;sub\\b=2;empty\\" is value a (REG_BINARY "1"), value b of key
 * sub, and key empty; NULL is no key at all.
 */
#ifndef REGCKPT_TEST_MONITOR_FIXTURE_H
#define REGCKPT_TEST_MONITOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include "ctlproto.h"
#include "settings.h"
#include "store.h"

#define WAIT_MS 60000
#define APP "Software\\App"
#define OTHER "Software\\Other"

extern struct fixture {
    char dir[64], store[96], prefix[96], log[96], conf[96];
    struct settings settings;
    char *run_dir;       /* of the resource */
    pid_t monitor;       /* 0: none runs */
    int ready_fd;
    const char *takeover, *prefix_option; /* options of the monitor; NULL: without */
    bool edit;           /* it is to be an edit's, */
    int session;         /* and this is the other end (ctlproto.h); -1: closed */
    void (*before_exec)(void);            /* done in its process before it is one; NULL: nothing */
    char talk[8192];     /* what it said there until ok or fail */
} fix;

/* For cmocka_run_group_tests and each test. */
int fixture_group_setup(void **state);    /* copies the programs, into memory where it may mount */
int fixture_group_teardown(void **state);
/* Where the test program is; below a changed root nobody can ask for it after the group's setup. */
const char *fixture_own_dir(void);
int fixture_setup(void **state);          /* an application "program.exe", no keys */
int fixture_service_setup(void **state);  /* the service "Played" */
int fixture_hooked_setup(void **state);   /* the application, where the hook is installed */
int fixture_teardown(void **state);       /* prints the monitor's log if the test failed */

/* main of every test program: `TESTS(tests)` behind the array. */
#define MONITOR_TESTS_MAIN(tests) \
    int main(int argc, char **argv) \
    { \
        if (played_wine_asked(argv)) \
            return played_wine_main(argc, argv); \
        return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown); \
    }
#define MONITOR_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
#define HOOKED_TEST(name) \
    cmocka_unit_test_setup_teardown(name, fixture_hooked_setup, fixture_teardown)
#define SERVICE_TEST(name) \
    cmocka_unit_test_setup_teardown(name, fixture_service_setup, fixture_teardown)

int64_t fixture_now_ms(void);
void fixture_pause(void);
#define AWAIT(condition) \
    do { \
        int64_t end_ms = fixture_now_ms() + WAIT_MS; \
        while (!(condition)) { \
            if (fixture_now_ms() > end_ms) \
                fail_msg("not within %d s: %s", WAIT_MS / 1000, #condition); \
            fixture_pause(); \
        } \
    } while (0)

/* --- content --- */
void image_from_text(const char *text, struct image *image);
char *image_to_text(const struct image *image); /* malloc'ed; "(none)" for no key */
/* The live registry, 64-bit view. */
void given_registry(const char *path, const char *text);
void assert_registry(const char *path, const char *text);
/* A registered key in the checkpoint; with KEY_CAPTURED in flags, its content. Returns its id. */
uint32_t given_key(const char *path, uint32_t flags, const char *text, const char *exclude_value);
/* What the checkpoint file holds, read afresh. */
bool checkpoint_holds(const char *path, const char *text);
void assert_checkpoint(const char *path, const char *text);
bool checkpoint_key(const char *path, struct registered_key *out); /* is it registered? */
void checkpoint_state_read(struct checkpoint_state *state);
void given_property(const char *name, const char *value);
bool resource_is_free(void); /* nobody has its lock */
bool file_exists(enum store_file which);

/* --- the played Wine --- */
void given_script(const char *script);
void given_file(const char *name, const char *text); /* in the prefix */
bool prefix_has(const char *name);
unsigned times_asked(const char *request);
pid_t played_pid(const char *name); /* "agent", "wineserver", "program"; 0: none */
bool played_is_gone(pid_t pid);       /* 0 is; one that nobody has waited for is too */
void program_ends(uint32_t code);

/* --- the monitor --- */
/*
 * Another node on the same store: fix is that of node "there" from here on, with its own run directory,
 * prefix, log and no monitor.  Keeps what fix was in *here; both ends come with fixture_teardown.
 */
void fixture_other_node(struct fixture *here);
/* Makes *to what fix is, and keeps what it was in *from. */
void fixture_switch(struct fixture *from, const struct fixture *to);
void monitor_begin(void);          /* starts it, does not wait */
int monitor_wait_ready(void);      /* 0, or the code it failed with; fix.talk says why */
void monitor_online(void);         /* both, and it must succeed */
int monitor_wait_end(void);        /* its exit code; 1000 + signal */
int monitor_fails(void);           /* begins it, it must fail; its exit code */
void monitor_ends_offline(void);   /* SIGTERM, and it must end with 0 */
bool log_has(const char *word);
void assert_says(const char *text, const char *word);

/* --- as the command --- */
int ctl_connect(void);
/* One request; its result, text in *err; the reply behind these in *reply, *u (NULL: not needed). */
int ctl_ask(enum ctl_message type, const struct pack *payload, struct message *reply,
            struct unpack *u, struct error *err);
void ctl_status(struct monitor_status *status); /* monitor_status_free */
uint64_t monitor_scans(void);                   /* how often it has scanned so far */
int ctl_set(const char *name, const char *value, struct error *err);
int ctl_plain(enum ctl_message type, struct error *err); /* a request without content */
int ctl_add(const char *path, uint32_t flags, struct error *err);

#endif
