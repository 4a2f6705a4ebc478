/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The watch: scans, compared with what the checkpoint holds, committed where they differ.
 *
 * A notification makes its key dirty.  The scan follows after half the lag, so that what belongs
 * together comes together, and not before the budget allows (pause_us).  All dirty keys are committed
 * in one transaction.  The images move on only when it is in the file: after a failure the next scan
 * finds the same differences again, so nothing has to be remembered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

#define PAUSES 49                 /* 1 part in 50: 2 % of wineserver's time */
#define PAUSES_LEAST 8            /* 11 %, where a second takes it */
#define PROMISE_US 1000000LL      /* from a change to its commit */
#define COMMIT_US 150000LL        /* what a commit, and a busy machine, may take of it */
#define ROUND_TRIES 10             /* of one with scans flagged in it, */
#define FREE_TRIES 2               /* so many without holding up the program */
#define HOLD_US 15000LL            /* a hooked call waits no longer for its lane */
#define FLAGGED_PAUSES 9          /* 10 %, where the hook could not tell what changed */
#define FULL_SCAN_US 60000000LL   /* what no notification tells: a class set on a key that exists */

int capture_scan(struct monitor *m, struct held_key *k, bool watch, struct image *image,
                 struct error *err)
{
    struct scan_facts facts;
    int64_t began = clock_us();
    int error;

    watch = watch && !hooked_by_server(m);
    k->dirty = k->notified = false; /* what is told from here on counts as after this scan */
    k->unsure_since_us = 0;
    if (watch)
        k->armed_number = m->hooked.number;
    error = hostlink_scan(m->agent, k->key.id, watch, image, &facts, err);
    k->overdue = error != 0;
    if (error) {
        k->dirty = true;
        return error_prefix(err, "scanning HKLM\\%s", k->key.path);
    }
    m->scan_server_us += facts.server_ns / 1000;
    m->status.scans++;
    m->status.scan_us = clock_us() - began;
    if (m->status.scan_worst_us < m->status.scan_us)
        m->status.scan_worst_us = m->status.scan_us;
    if (m->marked && facts.marker_epoch != m->state.epoch) {
        image_free(image);
        m->ending = ENDING_SERVER;
        return error_set(err, RESULT_WINE,
                         "the registry of %s is not the one that was restored into (its marker key "
                         "shows epoch %llu, not %llu): a scan of it is not saved", m->place.prefix,
                         (unsigned long long)facts.marker_epoch, (unsigned long long)m->state.epoch);
    }
    if ((error = image_exclude(image, &k->exclude))) {
        image_free(image);
        return error_system(err, error, "leaving out what is excluded of HKLM\\%s", k->key.path);
    }
    if ((error = hostlink_settle_names(m->agent, k->key.id, &k->image, &k->exclude, image, err))) {
        image_free(image);
        k->dirty = k->overdue = true;
        return error_prefix(err, "scanning HKLM\\%s", k->key.path);
    }
    return 0;
}

/* One key's changes on their way into the open transaction. */
struct recording {
    struct monitor *m;
    struct checkpoint_origin origin;
    uint64_t count;
    bool history;
    struct error *err;
};

static int record(const struct change *change, void *arg)
{
    struct recording *r = arg;

    r->count++;
    storage_moves(r->m);
    return checkpoint_change(r->m->checkpoint, change, r->history ? &r->origin : NULL, r->err);
}

int capture_record(struct monitor *m, struct held_key *k, struct image *to, const char *who,
                   uint64_t *count, struct error *err)
{
    struct recording r = {.m = m, .err = err};
    int error = 0;

    r.origin.time = unix_time_us();
    r.origin.who = who;
    r.origin.node = m->settings.node;
    r.history = (k->key.flags & KEY_CAPTURED) != 0;
    if (!r.history) {
        struct registered_key head = k->key; /* a view */
        head.flags |= KEY_CAPTURED;
        if ((error = checkpoint_put_key(m->checkpoint, &head, err)))
            return error;
        r.count++;
    }
    error = image_diff(&k->image, to, k->key.id, record, &r);
    if (error && !err->code)
        error_system(err, error, "comparing HKLM\\%s with its checkpoint", k->key.path);
    *count += r.count;
    return error;
}

static int commit(struct monitor *m, struct error *err)
{
    struct checkpoint_state state = m->state;
    int64_t began = clock_us();
    int error;

    state.saved = unix_time_us();
    checkpoint_set_state(m->checkpoint, &state, err); /* if it fails, so does the commit */
    if ((error = checkpoint_commit(m->checkpoint, err)))
        return error;
    m->status.commits++;
    m->status.commit_us = clock_us() - began;
    m->status.last_saved = state.saved;
    return checkpoint_get_state(m->checkpoint, &m->state, err);
}

/* The time from hearing of a change to having it in the checkpoint. */
static void note_lag(struct monitor *m, int64_t since_us)
{
    if (!since_us)
        return;
    m->status.lag_us = clock_us() - since_us;
    if (m->status.lag_us > m->status.lag_worst_us)
        m->status.lag_worst_us = m->status.lag_us;
}

void capture_move_on(struct held_key *k, struct image *to)
{
    image_free(&k->image);
    k->image = *to;
    image_init(to);
    image_unpin(&k->image);
    k->key.flags |= KEY_CAPTURED;
}

/* Is there anything to capture?  A key that was never seen is left uncaptured until it exists. */
static bool worth_storing(const struct held_key *k, const struct image *seen)
{
    return (k->key.flags & KEY_CAPTURED) || seen->root;
}

/* Do calls wait for the word that nothing has to be committed for them? */
static bool owes_answers(const struct monitor *m)
{
    const struct ring_shared *ring = m->hooked.ring.shared;

    return ring && __atomic_load_n(&ring->durable_number, __ATOMIC_ACQUIRE) != m->hooked.number;
}

/*
 * Commits what is pending and the pictures of some keys (seen[i] for keys[i], where taken[i]; NULL:
 * none) in one transaction.  unexpected (or NULL) counts the changes of pictures that nothing told of.
 */
static int store_all_now(struct monitor *m, const bool *taken, struct image *seen,
                         const bool *expected, const char *who, uint64_t *changes,
                         struct error *err)
{
    uint64_t count = 0, corrections = 0;
    bool begun = m->hooked.pending_count > 0;
    int error = 0;

    err->code = 0;
    if (begun && (error = checkpoint_begin(m->checkpoint, err)))
        return error;
    error = hooked_record(m, &count, err);
    for (size_t i = 0; taken && i < m->key_count && !error; i++) {
        struct held_key *k = &m->keys[i];
        uint64_t before;
        bool differs = taken[i] && worth_storing(k, &seen[i]) &&
                       (!(k->key.flags & KEY_CAPTURED) || !image_equal(&k->image, &seen[i]));
        if (!differs)
            continue;
        if (!begun && (error = checkpoint_begin(m->checkpoint, err)))
            break;
        begun = true;
        before = count;
        error = capture_record(m, k, &seen[i], who, &count, err);
        if (expected && !expected[i] && hooked_is_on(m))
            corrections += count - before;
    }
    if (error) {
        if (begun)
            checkpoint_cancel(m->checkpoint);
        return error;
    }
    if (begun ? (error = commit(m, err)) : owes_answers(m) && (error = displaced_check(m, err)))
        return error;
    note_lag(m, (int64_t)m->hooked.oldest_us);
    for (size_t i = 0; taken && i < m->key_count; i++)
        if (taken[i] && worth_storing(&m->keys[i], &seen[i]))
            capture_move_on(&m->keys[i], &seen[i]);
    m->status.changes += count;
    m->status.corrections += corrections;
    if (corrections)
        event_correction(corrections);
    *changes += count;
    return 0;
}

static int store_all(struct monitor *m, const bool *taken, struct image *seen, const bool *expected,
                     const char *who, uint64_t *changes, struct error *err)
{
    int error;

    storage_enter(m);
    error = store_all_now(m, taken, seen, expected, who, changes, err);
    storage_leave(m);
    return error;
}

int capture_store(struct monitor *m, struct held_key *k, struct image *to, const char *who,
                  uint64_t *changes, struct error *err)
{
    bool *taken = calloc(m->key_count, sizeof(*taken));
    struct image *seen = calloc(m->key_count, sizeof(*seen));
    int error = ENOMEM;

    if (taken && seen) {
        taken[k - m->keys] = true;
        seen[k - m->keys] = *to;
        error = store_all(m, taken, seen, NULL, who, changes, err);
        *to = seen[k - m->keys];
    } else {
        error_set(err, ENOMEM, "no memory to store HKLM\\%s", k->key.path);
    }
    free(taken);
    free(seen);
    return error;
}

/*
 * How long not to scan after a round that kept wineserver busy for server_us and took round_us in
 * all: 2 % of wineserver's time are for scans.  Where keys are so large that this would break the
 * promise of a second, the pause is shorter, down to where scans take 11 %.
 */
static int64_t pause_us(int64_t server_us, int64_t round_us)
{
    int64_t pause = PAUSES * server_us, least = PAUSES_LEAST * server_us;
    /* a change may come just behind one round's picture: then it waits for all of the next one too */
    int64_t promised = PROMISE_US - COMMIT_US - 3 * round_us;

    if (pause > promised)
        pause = promised > least ? promised : least;
    return pause;
}

/* One round of scans. */
struct round {
    bool all, watch;
    bool stored;
    bool complete;       /* all keys have pictures */
    int64_t since_us;    /* when the oldest change of a scanned key was heard of; 0: none was */
    bool *taken;         /* keys[i] has a picture: */
    struct image *seen;
    bool *expected;      /* something told that it would differ */
};

static void round_free(struct monitor *m, struct round *r)
{
    for (size_t i = 0; r->seen && i < m->key_count; i++)
        image_free(&r->seen[i]);
    free(r->taken);
    free(r->seen);
    free(r->expected);
}

static int round_begin(struct monitor *m, struct round *r, struct error *err)
{
    r->taken = calloc(m->key_count + 1, sizeof(*r->taken));
    r->seen = calloc(m->key_count + 1, sizeof(*r->seen));
    r->expected = calloc(m->key_count + 1, sizeof(*r->expected));
    if (r->taken && r->seen && r->expected)
        return 0;
    round_free(m, r);
    return error_set(err, ENOMEM, "no memory for a scan of %s", m->name);
}

static bool registry_is_lost(const struct monitor *m)
{
    return m->agent->sock < 0 || m->ending == ENDING_SERVER;
}

static bool is_unsure(const struct held_key *k)
{
    return k->unsure_since_us && clock_us() >= k->unsure_since_us + UNSURE_US;
}

/*
 * Scans what is due.  A key that cannot be scanned (*err tells why) does not keep the others from
 * being stored; a host that is gone, or a registry that is not ours, does.
 */
static int scan_due(struct monitor *m, struct round *r, struct error *err)
{
    int64_t began = clock_us();
    bool flagged = hooked_needs_scan(m);
    int result = 0;

    m->scan_server_us = 0;
    for (size_t i = 0; i < m->key_count; i++) {
        struct held_key *k = &m->keys[i];
        struct error one = {.code = 0};

        if (!r->all && !k->dirty && !is_unsure(k))
            continue;
        if (k->dirty && (!r->since_us || k->dirty_since_us < r->since_us))
            r->since_us = k->dirty_since_us;
        r->expected[i] = k->dirty || flagged || !(k->key.flags & KEY_CAPTURED);
        r->taken[i] = !capture_scan(m, k, r->watch, &r->seen[i], &one);
        if (r->taken[i])
            continue;
        if (!result)
            *err = one;
        result = one.code;
        if (registry_is_lost(m)) {
            *err = one;
            break;
        }
    }
    m->round_us = clock_us() - began;
    m->scan_not_before_us = clock_us() + pause_us(m->scan_server_us, m->round_us);
    m->hooked.not_before_us = clock_us() + FLAGGED_PAUSES * m->scan_server_us;
    r->complete = r->all && !result;
    return result;
}

/* After a round in which everything that was due is stored. */
static void note_success(struct monitor *m, const struct round *r)
{
    note_lag(m, r->since_us);
    error_is_over(m);
    if (m->status.storage_failing_since) {
        event(EVENT_STORAGE_BACK, "storage works again; the checkpoint is up to date");
        m->status.storage_failing_since = 0;
        notify_publish(&m->status, &m->resource);
    }
    if (r->all)
        m->next_full_scan_us = hooked_by_server(m) ? INT64_MAX : clock_us() + FULL_SCAN_US;
}

/* Said once, until it is not so. */
static void note_apart(struct monitor *m, bool apart)
{
    if (apart && !m->apart)
        log_line("the keys change faster than they can be scanned together: what is saved of one may be "
                 "some milliseconds younger than of another");
    m->apart = apart;
}

/*
 * The pictures, brought up to a second cut, and what was pending before them, are one commit.  If a
 * scan was flagged in between they stay as they are.  The picture of the only key is a state to commit
 * all the same.  Those of several were taken one after the other: better to try again (*again), but
 * not for ever (`last`), or a program that flags a scan in each would never have anything saved.  Most
 * of these times the lanes are held, so that they show one moment unless they take too long for that.
 */
static int store_round(struct monitor *m, struct round *r, const char *who, uint64_t *changes,
                       bool last, bool *again, struct error *err)
{
    bool held_back;
    int error = hooked_learn_volatile(m, r->seen, r->taken);

    *again = false;
    if (error)
        return error_set(err, error, "no memory for a scan of %s", m->name);
    error = hooked_cut(m, r->seen, r->taken, &held_back, err);
    hooked_let_go(m);
    if (error)
        return error;
    if (held_back)
        m->hooked.flagged = true;
    *again = held_back && r->complete && m->key_count > 1 && !last;
    if (((held_back || hooked_needs_scan(m)) && !r->complete) || *again)
        return 0;
    note_apart(m, held_back && m->key_count > 1);
    if ((error = store_all(m, r->taken, r->seen, r->expected, who, changes, err)))
        return error;
    hooked_committed(m, r->complete);
    r->stored = true;
    return 0;
}

static int run_round(struct monitor *m, bool all, bool watch, const char *who, uint64_t *changes,
                     int nth, bool *again, struct error *err)
{
    struct error storage = {.code = 0};
    struct round r = {.watch = watch};
    int error = storage_ready(m, &all, err);

    *again = false;
    if (error || (error = round_begin(m, &r, err)))
        return error;
    if (nth > FREE_TRIES && m->key_count > 1 && m->round_us < HOLD_US)
        hooked_hold(m);
    if ((error = hooked_cut(m, NULL, NULL, NULL, err))) {
        hooked_let_go(m);
        round_free(m, &r);
        return error;
    }
    r.all = all || hooked_needs_scan(m);
    error = scan_due(m, &r, err);
    if (!registry_is_lost(m) && !(error && is_edit(m)) && /* an edit is saved whole, or not */
        store_round(m, &r, who, changes, nth >= ROUND_TRIES, again, &storage)) {
        storage_failed(m, &storage);
        *err = storage;
        error = RESULT_STORAGE;
    }
    hooked_let_go(m);
    for (size_t i = 0; i < m->key_count && !r.stored; i++) /* seen, and not stored */
        m->keys[i].dirty = m->keys[i].overdue = m->keys[i].dirty || r.taken[i];
    if (!error && r.stored)
        note_success(m, &r);
    round_free(m, &r);
    keys_count(m);
    monitor_publish(m);
    return error;
}

int capture_run(struct monitor *m, bool all, bool watch, const char *who, uint64_t *changes,
                struct error *err)
{
    bool again = true;
    int error = 0;

    for (int i = 1; again && !error; i++)
        error = run_round(m, all, watch, who, changes, i, &again, err);
    return error;
}

int capture_pending(struct monitor *m, struct error *err)
{
    uint64_t changes = 0;
    int error;

    if (!m->checkpoint || hooked_needs_scan(m))
        return 0;
    if ((error = store_all(m, NULL, NULL, NULL, NULL, &changes, err))) {
        storage_failed(m, err);
        return RESULT_STORAGE;
    }
    hooked_committed(m, false);
    if (changes)
        keys_count(m);
    return 0;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t capture_due_us(const struct monitor *m)
{
    int64_t due = m->next_full_scan_us, at;

    if (!m->checkpoint)
        return m->next_storage_try_us;
    if (hooked_needs_scan(m))
        return m->resource.lag_ms ? m->hooked.not_before_us : 0;
    for (size_t i = 0; i < m->key_count; i++) {
        const struct held_key *k = &m->keys[i];

        if (k->dirty) {
            at = k->overdue ? 0 : k->dirty_since_us + (int64_t)m->resource.lag_ms * 500;
            at = later(at, m->scan_not_before_us);
        } else if (k->unsure_since_us) {
            at = later(k->unsure_since_us + UNSURE_US, m->scan_not_before_us);
        } else {
            continue;
        }
        if (at < due)
            due = at;
    }
    return due;
}
