/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests of the monitor with a hooked program: what that does, what its ring and the history
 * hold.
 */
#ifndef REGCKPT_TEST_MONITOR_HOOKED_H
#define REGCKPT_TEST_MONITOR_HOOKED_H

#include "monitor_fixture.h"
#include "played_wine.h"
#include "ring.h"

/* Online and hooked, with APP "a=1" in registry and checkpoint; no notification fires yet. */
void given_hooked(void);
void notifications_fire(void); /* from here on, also for what has changed already */

/* Gives the hooked program calls (played_wine.h), whether it runs yet or not. */
void program_is_to(const char *calls);
/* The same, and waits until they are done; the answer of the last, until the next call. */
const char *program_does(const char *calls);
/*
 * The same while the monitor stands still: it finds all as one batch, and no lane taken.  (A call of
 * the played program may hold its lane for longer than the monitor waits for it, on a busy machine;
 * then a scan makes up for that.)
 */
void program_does_apart(const char *calls);
/* The same for calls that wait for their commits: until so many do. The answer of the last. */
const char *program_waits_apart(const char *calls, uint32_t count);
/* The test itself reports a change, the same way. */
void report_apart(struct ring *ring, uint32_t lane, uint32_t process, const struct change *change);
#define assert_does(calls, answer) assert_string_equal(program_does(calls), answer)

/* Stops the monitor where it holds no lane of its ring: what is reported now comes as one batch. */
void monitor_pauses(void);
void monitor_goes_on(void);
/* Killed, and the program with it. */
void monitor_is_killed(void);
/* The ring as it is now, to look at or to harm. */
void ring_of_app(struct ring *ring);

/* One number of the status. */
#define STATUS(field) \
    ({ \
        struct monitor_status status_; \
        uint64_t number_; \
        ctl_status(&status_); \
        number_ = status_.field; \
        monitor_status_free(&status_); \
        number_; \
    })
bool source_is(const char *source); /* in the status */
uint64_t checkpoint_sequence(void);

/* What the history holds about one value "PATH\NAME" or key "PATH\" of APP. */
struct told {
    unsigned count;
    struct {
        enum change_kind kind;
        char who[64], data[64];
        uint32_t pid;
    } last;
};
struct told history_of(const char *item);

#endif
