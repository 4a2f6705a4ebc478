/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fails on purpose: what the frame of the tests must count.  Both headers must tell
 *   7 tests executed (1 marked as todo, 0 as flaky, 3 failures), 1 skipped.
 * and end with exit code 3 under Wine, naming the places.
 */
#include "regckpt_test.h"

START_TEST(frame_counts)
{
    DWORD error;

    ok(1, "never printed\n");
    SetLastError(0xdeadbeef);
    ok(1, "never printed\n");
    error = GetLastError();
    ok(error == 0xdeadbeef, "a check changed the last error\n");
    winetest_push_context("outer %d", 1);
    winetest_push_context("inner %s", "two");
    ok(0, "failure one\n");
    winetest_pop_context();
    winetest_pop_context();
    todo_wine ok(0, "known gap\n");
    todo_wine ok(1, "failure two: a closed gap\n");
    todo_wine_if(0) ok(0, "failure three\n");
    skip("left out\n");
    trace("said\n");
    if (broken(1)) trace("on Windows only\n");
}
