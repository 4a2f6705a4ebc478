/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small frame for Windows test programs, with the names of Wine's wine/test.h, so that a test file
 * compiles with either: -DREGCKPT_USE_WINE_TEST_H takes Wine's own.
 *
 *   START_TEST(name) { ... }          one a file; makes the whole program
 *   ok(condition, format, ...)        counts, and prints what failed
 *   todo_wine ok(...)                 a known gap: must fail under Wine, so that closing it shows
 *   todo_wine_if(cond) ok(...)
 *   skip(format, ...), win_skip()     something was left out; counted
 *   trace(format, ...)
 *   winetest_push_context(format, ...), winetest_pop_context()    put in front of every message
 *   broken(cond)                      true only on Windows, for results that are wrong there
 *
 * Output goes to stdout, unbuffered.  The last line is
 *   PID:NAME: N tests executed (T marked as todo, 0 as flaky, F failures), S skipped.
 * and the exit code is the number of failures, at most 255.  WINETEST_PLATFORM overrides what the
 * test takes the platform for ("wine", "windows"); WINETEST_DEBUG=0 prints failures only.
 *
 * This header holds the code as well: it is for one source file a program.  Checks may be made by
 * several threads at once; contexts and todo blocks belong to the thread that opened them.
 */
#ifndef REGCKPT_TEST_H
#define REGCKPT_TEST_H

#ifdef REGCKPT_USE_WINE_TEST_H
#include <stdio.h>
#include <windows.h> /* Wine's header takes the console functions for granted */
#include <wine/test.h>
#else

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#endif

#define WINETEST_CONTEXTS 8
#define WINETEST_CONTEXT_BYTES 128

#define WINETEST_FORMAT(text, first) __attribute__((format(gnu_printf, text, first)))

/* What a thread is in the middle of. */
static __thread struct {
    const char *file;
    int line;
    int todo_depth;
    int todo_once;
    unsigned context_count;
    char contexts[WINETEST_CONTEXTS][WINETEST_CONTEXT_BYTES];
} winetest_here;

/* Counted over all threads. */
static struct {
    LONG passed, failed, todo_failed_as_expected, todo_passed, skipped;
} winetest_total;

static int winetest_debug = 1;
static const char *winetest_platform = "windows";
static CRITICAL_SECTION winetest_print_lock;

/* Notes where the check that follows stands. Returns 0, for use in an expression. */
static inline int winetest_at(const char *file, int line)
{
    const char *name = file, *p;

    for (p = file; *p; p++)
        if (*p == '/' || *p == '\\') name = p + 1;
    winetest_here.file = name;
    winetest_here.line = line;
    return 0;
}

/* Prints one message with its place and contexts. */
static inline void winetest_say(const char *kind, const char *format, va_list args)
{
    DWORD error = GetLastError();
    unsigned i;

    EnterCriticalSection(&winetest_print_lock);
    printf("%s:%d: %s", winetest_here.file, winetest_here.line, kind);
    for (i = 0; i < winetest_here.context_count && i < WINETEST_CONTEXTS; i++)
        printf("%s: ", winetest_here.contexts[i]);
    vprintf(format, args);
    LeaveCriticalSection(&winetest_print_lock);
    SetLastError(error);
}

/* Counts one check; in a todo block a failure is what is expected. */
static inline void WINETEST_FORMAT(2, 3) winetest_ok(int condition, const char *format, ...)
{
    const char *kind = NULL;
    LONG *count;
    va_list args;

    if (winetest_here.todo_depth) {
        count = condition ? &winetest_total.todo_passed : &winetest_total.todo_failed_as_expected;
        if (condition) kind = "Test succeeded inside todo block: ";
        else if (winetest_debug) kind = "Test marked todo: ";
    } else {
        count = condition ? &winetest_total.passed : &winetest_total.failed;
        if (!condition) kind = "Test failed: ";
    }
    InterlockedIncrement(count);
    if (!kind) return;
    va_start(args, format);
    winetest_say(kind, format, args);
    va_end(args);
}

/* Says that something could not be tried here. */
static inline void WINETEST_FORMAT(1, 2) winetest_skip(const char *format, ...)
{
    va_list args;

    InterlockedIncrement(&winetest_total.skipped);
    va_start(args, format);
    winetest_say("Tests skipped: ", format, args);
    va_end(args);
}

/* Says that something is missing on this Windows; under Wine that is a failure. */
static inline void WINETEST_FORMAT(1, 2) winetest_win_skip(const char *format, ...)
{
    BOOL wine = !strcmp(winetest_platform, "wine");
    va_list args;

    InterlockedIncrement(wine ? &winetest_total.failed : &winetest_total.skipped);
    va_start(args, format);
    winetest_say(wine ? "Test failed: " : "Tests skipped: ", format, args);
    va_end(args);
}

/* Tells the reader something. */
static inline void WINETEST_FORMAT(1, 2) winetest_trace(const char *format, ...)
{
    va_list args;

    if (!winetest_debug) return;
    va_start(args, format);
    winetest_say("", format, args);
    va_end(args);
}

/* Puts a text in front of all messages of this thread until it is popped. */
static inline void WINETEST_FORMAT(1, 2) winetest_push_context(const char *format, ...)
{
    unsigned i = winetest_here.context_count++;
    va_list args;

    if (i >= WINETEST_CONTEXTS) return;
    va_start(args, format);
    vsnprintf(winetest_here.contexts[i], WINETEST_CONTEXT_BYTES, format, args);
    va_end(args);
}

/* Takes the last context away. */
static inline void winetest_pop_context(void)
{
    if (winetest_here.context_count) winetest_here.context_count--;
}

/* A result that is accepted on Windows only. */
static inline int broken(int condition)
{
    return condition && !strcmp(winetest_platform, "windows");
}

/* The three parts of the for statement behind todo_if. */
static inline void winetest_todo_begin(int is_todo)
{
    winetest_here.todo_depth = (winetest_here.todo_depth << 1) | (is_todo != 0);
    winetest_here.todo_once = 1;
}

static inline int winetest_todo_loop(void)
{
    int first = winetest_here.todo_once;

    winetest_here.todo_once = 0;
    return first;
}

static inline void winetest_todo_end(void)
{
    winetest_here.todo_depth >>= 1;
}

#define ok winetest_at(__FILE__, __LINE__) ? (void)0 : winetest_ok
#define skip winetest_at(__FILE__, __LINE__) ? (void)0 : winetest_skip
#define win_skip winetest_at(__FILE__, __LINE__) ? (void)0 : winetest_win_skip
#define trace winetest_at(__FILE__, __LINE__) ? (void)0 : winetest_trace

#define todo_if(is_todo) \
    for (winetest_todo_begin(is_todo); winetest_todo_loop(); winetest_todo_end())
#define todo_wine todo_if(!strcmp(winetest_platform, "wine"))
#define todo_wine_if(is_todo) todo_if((is_todo) && !strcmp(winetest_platform, "wine"))

#define START_TEST(name) \
    static void winetest_body_##name(void); \
    int main(void) { return winetest_main(#name, winetest_body_##name); } \
    static void winetest_body_##name(void)

/* Runs the test and tells the result. */
static inline int winetest_main(const char *name, void (*test)(void))
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    const char *text;
    LONG failures;

    setvbuf(stdout, NULL, _IONBF, 0);
    InitializeCriticalSection(&winetest_print_lock);
    if ((text = getenv("WINETEST_PLATFORM"))) winetest_platform = text;
    else if (ntdll && GetProcAddress(ntdll, "wine_server_call")) winetest_platform = "wine";
    if ((text = getenv("WINETEST_DEBUG"))) winetest_debug = atoi(text);
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);

    test();

    failures = winetest_total.failed + winetest_total.todo_passed;
    printf("%04x:%s: %ld tests executed (%ld marked as todo, 0 as flaky, %ld %s), %ld skipped.\n",
           (unsigned)GetCurrentProcessId(), name,
           winetest_total.passed + failures + winetest_total.todo_failed_as_expected,
           winetest_total.todo_failed_as_expected, failures, failures == 1 ? "failure" : "failures",
           winetest_total.skipped);
    return failures > 255 ? 255 : (int)failures;
}

#endif
#endif
