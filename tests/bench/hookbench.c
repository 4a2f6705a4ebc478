/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hookbench: what a program's registry calls take with the hook.
 *
 *   hookbench hooked REGISTERED TWIN OTHER ROUNDS CPU SERVER
 *   hookbench bare REGISTERED TWIN OTHER ROUNDS CPU SERVER OUT
 *
 * Two processes of one prefix, the first one as a resource's program, take turns of some milliseconds,
 * all on one CPU with wineserver (its Unix process id), so that whatever slows the machine meets both.
 * A round is a turn of each; the one without the hook prints the medians over the rounds to OUT: for
 * each kind of calls its own nanoseconds a call, and as KIND-ratio what the other needed in its place;
 * by the CPU time that caller and server spend, and as KIND-clock-ratio by the clock on the wall, which
 * others on the machine disturb.
 * Both do the same calls; but the one without the hook sets values of TWIN in place of REGISTERED.
 * REGISTERED and TWIN have subkeys 0 to 15.
 *
 *   hookbench durable KEY DIR
 *
 * With lag 0: for n = 0, 1, ... waits for the file DIR\go.n and then tells in DIR\done.n what a call
 * took on one thread, in microseconds (one), and how many calls a second 16 threads did on 16 subkeys
 * of KEY (many), one thread (single).
 */
#include "unixcall.h"

#define CALLS 400      /* in a turn */
#define WARMING 40     /* before they count: the other side had the caches */
#define THREADS 16
#define MOST_ROUNDS 1000
#define TURN_MS 120000 /* a side that takes longer is gone */
#define DURABLE_CALLS 40
#define DURABLE_EACH 20

#define USAGE "hookbench hooked REGISTERED TWIN OTHER ROUNDS CPU SERVER |\n" \
              "       bare REGISTERED TWIN OTHER ROUNDS CPU SERVER OUT | durable KEY DIR"

enum side { HOOKED, BARE };

/* What both sides see: nanoseconds a call, spent on the CPU and by the clock. */
struct board {
    double ns[2][16][MOST_ROUNDS], clock_ns[2][16][MOST_ROUNDS];
};

struct bench {
    HKEY registered, other; /* to be set: of the side without the hook TWIN and OTHER */
    const WCHAR *registered_path, *other_path;
    unsigned server;
};

/*
 * The time both sides of a call have spent.  They share a CPU and take turns, so this is what it takes
 * where nobody else runs, and others that do run are not measured with it.
 */
static LONGLONG spent_ns(const struct bench *b)
{
    return cpu_ns(0) + cpu_ns(b->server);
}

static double now_us(void)
{
    LARGE_INTEGER now, frequency;

    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return now.QuadPart * 1e6 / frequency.QuadPart;
}

/* --- the kinds of calls --- */

static DWORD serial; /* no value is set to what it is: that would be another thing */

static void set_value(HKEY key)
{
    DWORD n = serial++, error = RegSetValueExW(key, L"Bench", 0, REG_DWORD, (BYTE *)&n, sizeof(n));

    if (error) testkey_die("RegSetValueEx", L"Bench", error);
}

static void query_value(HKEY key)
{
    DWORD data, size = sizeof(data);
    DWORD error = RegQueryValueExW(key, L"Bench", NULL, NULL, (BYTE *)&data, &size);

    if (error) testkey_die("RegQueryValueEx", L"Bench", error);
}

static void open_and_close(const WCHAR *path)
{
    HKEY key;
    DWORD error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ | KEY_WOW64_64KEY, &key);

    if (error) testkey_die("RegOpenKeyEx", path, error);
    RegCloseKey(key);
}

static void set_registered(struct bench *b) { set_value(b->registered); }
static void set_other(struct bench *b) { set_value(b->other); }
static void query_registered(struct bench *b) { query_value(b->registered); }
static void query_other(struct bench *b) { query_value(b->other); }
static void open_registered(struct bench *b) { open_and_close(b->registered_path); }
static void open_other(struct bench *b) { open_and_close(b->other_path); }

/* --- 16 threads at once --- */

static struct {
    HANDLE go, done; /* semaphores */
    HKEY keys[THREADS];
    unsigned calls;
} crew;

static DWORD WINAPI work(void *arg)
{
    HKEY key = *(HKEY *)arg;

    for (;;) {
        WaitForSingleObject(crew.go, INFINITE);
        for (unsigned i = 0; i < crew.calls; i++) {
            DWORD n = InterlockedIncrement((LONG *)&serial), error;

            error = RegSetValueExW(key, L"Bench", 0, REG_DWORD, (BYTE *)&n, sizeof(n));
            if (error) testkey_die("RegSetValueEx", L"Bench", error);
        }
        ReleaseSemaphore(crew.done, 1, NULL);
    }
    return 0;
}

/* The crew, one thread for each of the subkeys 0 to 15. */
static void hire(const WCHAR *path, unsigned calls)
{
    crew.go = CreateSemaphoreW(NULL, 0, THREADS, NULL);
    crew.done = CreateSemaphoreW(NULL, 0, THREADS, NULL);
    crew.calls = calls;
    for (unsigned i = 0; i < THREADS; i++) {
        WCHAR subkey[MAX_PATH];

        swprintf(subkey, ARRAYSIZE(subkey), L"%ls\\%u", path, i);
        crew.keys[i] = open_key(subkey);
        if (!CreateThread(NULL, 0, work, &crew.keys[i], 0, NULL))
            testkey_die("CreateThread", NULL, GetLastError());
    }
}

static void all_at_once(void)
{
    ReleaseSemaphore(crew.go, THREADS, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        WaitForSingleObject(crew.done, INFINITE);
}

static void set_by_threads(struct bench *b)
{
    (void)b;
    all_at_once();
}

static const struct kind {
    const char *name;
    void (*call)(struct bench *b);
    unsigned warming, calls, each; /* each: registry calls that one of these makes */
} kinds[] = {
    {"set-registered", set_registered, WARMING, CALLS, 1},
    {"set-other", set_other, WARMING, CALLS, 1},
    {"query-registered", query_registered, WARMING, CALLS, 1},
    {"query-other", query_other, WARMING, CALLS, 1},
    {"open-registered", open_registered, WARMING, CALLS, 1},
    {"open-other", open_other, WARMING, CALLS, 1},
    {"set-threads", set_by_threads, 1, 1, CALLS / THREADS * THREADS},
};

#define KINDS ARRAYSIZE(kinds)

/* --- in turn --- */

static void measure(struct bench *b, const struct kind *kind, double *ns, double *clock_ns)
{
    double began_us, calls = kind->calls * kind->each;
    LONGLONG began;

    for (unsigned i = 0; i < kind->warming; i++)
        kind->call(b);
    began = spent_ns(b);
    began_us = now_us();
    for (unsigned i = 0; i < kind->calls; i++)
        kind->call(b);
    *clock_ns = (now_us() - began_us) * 1000 / calls;
    *ns = (spent_ns(b) - began) / calls;
}

static HANDLE turn_of(enum side side)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, side == BARE ? L"HookbenchBare" : L"HookbenchHooked");

    if (!event) testkey_die("CreateEvent", NULL, GetLastError());
    return event;
}

static struct board *open_board(void)
{
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                        sizeof(struct board), L"HookbenchBoard");
    struct board *board = section ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;

    if (!board) testkey_die("MapViewOfFile", NULL, GetLastError());
    return board;
}

static void take_turns(struct bench *b, enum side side, struct board *board, unsigned rounds)
{
    HANDLE mine = turn_of(side), others = turn_of(!side);

    if (side == BARE) SetEvent(others);
    for (unsigned k = 0; k < KINDS; k++)
        for (unsigned round = 0; round < rounds; round++) {
            if (WaitForSingleObject(mine, TURN_MS))
                testkey_die("waiting for the other side", NULL, WAIT_TIMEOUT);
            measure(b, &kinds[k], &board->ns[side][k][round], &board->clock_ns[side][k][round]);
            SetEvent(others);
        }
}

/* The median over the rounds of what the hook makes of it. */
static double median_ratio(const double hooked[], const double bare[], unsigned rounds)
{
    static double ratios[MOST_ROUNDS];

    for (unsigned round = 0; round < rounds; round++)
        ratios[round] = hooked[round] / bare[round];
    return median(ratios, rounds);
}

static void print_board(struct board *board, unsigned rounds, const WCHAR *path)
{
    WCHAR part[MAX_PATH];
    FILE *out = open_out(path, part, ARRAYSIZE(part));

    for (unsigned k = 0; k < KINDS; k++) {
        fprintf(out, "%s-ratio %.4f\n", kinds[k].name,
                median_ratio(board->ns[HOOKED][k], board->ns[BARE][k], rounds));
        fprintf(out, "%s-clock-ratio %.4f\n", kinds[k].name,
                median_ratio(board->clock_ns[HOOKED][k], board->clock_ns[BARE][k], rounds));
        fprintf(out, "%s %.1f\n", kinds[k].name, median(board->ns[BARE][k], rounds));
    }
    close_out(out, part, path);
}

static void run_side(int argc, WCHAR *argv[], enum side side)
{
    struct board *board = open_board();
    struct bench b = {.registered_path = argv[2], .other_path = argv[4]};
    const WCHAR *to_set = argv[side == BARE ? 3 : 2];
    int at = 4;
    unsigned rounds = next_number(argc, argv, &at, USAGE), cpu = next_number(argc, argv, &at, USAGE);

    b.server = next_number(argc, argv, &at, USAGE);
    if (!rounds || rounds > MOST_ROUNDS) usage_exit(USAGE);
    if (!SetProcessAffinityMask(GetCurrentProcess(), (DWORD_PTR)1 << cpu))
        testkey_die("SetProcessAffinityMask", argv[6], GetLastError());
    b.registered = open_key(to_set);
    b.other = open_key(argv[4]);
    hire(to_set, CALLS / THREADS);
    take_turns(&b, side, board, rounds);
    if (side == BARE) print_board(board, rounds, argv[8]);
}

/* --- lag 0 --- */

static void wait_for_file(const WCHAR *path)
{
    while (GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES)
        Sleep(5);
}

static void print_durable(HKEY key, const WCHAR *path)
{
    double took[DURABLE_CALLS], began, all = now_us();
    WCHAR part[MAX_PATH];
    FILE *out = open_out(path, part, ARRAYSIZE(part));

    for (unsigned i = 0; i < DURABLE_CALLS; i++) {
        began = now_us();
        set_value(key);
        took[i] = now_us() - began;
    }
    all = now_us() - all;
    began = now_us();
    all_at_once();
    fprintf(out, "many %.1f\n", THREADS * DURABLE_EACH * 1e6 / (now_us() - began));
    fprintf(out, "single %.1f\none %.1f\n", DURABLE_CALLS * 1e6 / all, median(took, DURABLE_CALLS));
    close_out(out, part, path);
}

static void run_durable(WCHAR *argv[])
{
    HKEY key = open_key(argv[2]);

    hire(argv[2], DURABLE_EACH);
    for (unsigned n = 0;; n++) {
        WCHAR go[MAX_PATH], done[MAX_PATH];

        swprintf(go, ARRAYSIZE(go), L"%ls\\go.%u", argv[3], n);
        swprintf(done, ARRAYSIZE(done), L"%ls\\done.%u", argv[3], n);
        wait_for_file(go);
        print_durable(key, done);
    }
}

static int program(int argc, WCHAR *argv[])
{
    if (argc == 8 && !wcscmp(argv[1], L"hooked")) run_side(argc, argv, HOOKED);
    else if (argc == 9 && !wcscmp(argv[1], L"bare")) run_side(argc, argv, BARE);
    else if (argc == 4 && !wcscmp(argv[1], L"durable")) run_durable(argv);
    else usage_exit(USAGE);
    return 0;
}
