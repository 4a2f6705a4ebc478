/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * serverbench: what RegSetValueEx of a DWORD takes with one wineserver against others.
 *
 *   serverbench KEY BOARD SIDE SIDES ROUNDS CPU SERVER OUT
 *
 * SIDES of these, each in a prefix of its own or on a key of its own, take turns of some milliseconds on
 * one CPU, on which their wineservers are too (SERVER is the Unix process id of this one's).  Each round
 * is a turn of each, in an order of its own, so that whatever slows the machine meets all.  BOARD is a
 * file of zeros, BOARD_BYTES (131072) long, through which they hand on the turn.  What counts is the time
 * that caller and server spend on the CPU.  At the end side 0 prints to OUT its nanoseconds a call, as
 * "side-0", and for each other side the median over the rounds of what it needed in place of side 0:
 * "ratio-1", ...
 */
#include "unixcall.h"

#define CALLS 400  /* in a turn */
#define WARMING 40 /* before they count: the other side had the caches */
#define MOST_SIDES 8
#define MOST_ROUNDS 1000
#define BOARD_BYTES 131072
#define PATIENCE 120 /* seconds for a turn: a side that takes longer is gone */

#define USAGE "serverbench KEY BOARD SIDE SIDES ROUNDS CPU SERVER OUT"

/* What all sides see. */
struct board {
    volatile LONG turn; /* turns that are over */
    double ns[MOST_SIDES][MOST_ROUNDS];
};

_Static_assert(sizeof(struct board) <= BOARD_BYTES, "the board fits into its file");

static struct board *open_board(const WCHAR *path)
{
    HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, 0, NULL);
    HANDLE section = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, BOARD_BYTES, NULL);
    struct board *board = section ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;

    if (!board) testkey_die("mapping", path, GetLastError());
    return board;
}

/* Whose turn it is: each round has an order of its own, which all sides work out alike. */
static unsigned side_of(unsigned turn, unsigned sides)
{
    unsigned order[MOST_SIDES], round = turn / sides, random = round * 2654435761u + 12345;

    for (unsigned i = 0; i < sides; i++) {
        unsigned at = (random >> 16) % (i + 1);

        order[i] = order[at];
        order[at] = i;
        random = random * 1664525 + 1013904223;
    }
    return order[turn % sides];
}

static void wait_turn(struct board *board, LONG turn)
{
    LONG now;

    for (unsigned s = 0; (now = board->turn) != turn; s++) {
        if (s >= PATIENCE * MOST_SIDES) testkey_die("waiting for the other sides", NULL, WAIT_TIMEOUT);
        unix_wait(&board->turn, now);
    }
}

/* Nanoseconds a call.  No value is set to what it is: that would be another thing. */
static double measure(HKEY key, unsigned server)
{
    static DWORD serial;
    LONGLONG began = 0;

    for (int i = -WARMING; i < CALLS; i++) {
        DWORD n = serial++, error;

        if (!i) began = cpu_ns(0) + cpu_ns(server);
        if ((error = RegSetValueExW(key, L"Count", 0, REG_DWORD, (BYTE *)&n, sizeof(n))))
            testkey_die("RegSetValueEx", L"Count", error);
    }
    return (double)(cpu_ns(0) + cpu_ns(server) - began) / CALLS;
}

static void print_board(struct board *board, unsigned sides, unsigned rounds, const WCHAR *path)
{
    static double ratios[MOST_ROUNDS];
    WCHAR part[MAX_PATH];
    FILE *out = open_out(path, part, ARRAYSIZE(part));

    for (unsigned side = 1; side < sides; side++) {
        for (unsigned round = 0; round < rounds; round++)
            ratios[round] = board->ns[side][round] / board->ns[0][round];
        fprintf(out, "ratio-%u %.4f\n", side, median(ratios, rounds));
    }
    fprintf(out, "side-0 %.1f\n", median(board->ns[0], rounds));
    close_out(out, part, path);
}

static int program(int argc, WCHAR *argv[])
{
    unsigned side, sides, rounds, cpu, server;
    struct board *board;
    int at = 2;
    HKEY key;

    if (argc != 9) usage_exit(USAGE);
    side = next_number(argc, argv, &at, USAGE);
    sides = next_number(argc, argv, &at, USAGE);
    rounds = next_number(argc, argv, &at, USAGE);
    cpu = next_number(argc, argv, &at, USAGE);
    server = next_number(argc, argv, &at, USAGE);
    if (sides > MOST_SIDES || side >= sides || !rounds || rounds > MOST_ROUNDS) usage_exit(USAGE);
    board = open_board(argv[2]);
    key = open_key(argv[1]);
    if (!SetProcessAffinityMask(GetCurrentProcess(), (DWORD_PTR)1 << cpu))
        testkey_die("SetProcessAffinityMask", argv[6], GetLastError());
    for (unsigned turn = 0; turn < sides * rounds; turn++) {
        if (side_of(turn, sides) != side) continue;
        wait_turn(board, turn);
        board->ns[side][turn / sides] = measure(key, server);
        board->turn = turn + 1;
        unix_wake(&board->turn);
    }
    if (!side) {
        wait_turn(board, sides * rounds);
        print_board(board, sides, rounds, argv[8]);
    }
    return 0;
}
