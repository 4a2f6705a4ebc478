/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../../dlls/libregckpt/peer_meet.h"
#include "peer.h"

#define WAIT_MS 60000

static void end(int signal_number)
{
    peer_clean_up();
    _exit(128 + signal_number);
}

int peer_timeout(const char *timeout, int *ms, struct error *err)
{
    *ms = WAIT_MS;
    return timeout ? cli_seconds("--timeout", timeout, ms, err) : 0;
}

void peer_test(const struct cli *cli, int timeout_ms, store_peer_fn *fn, void *arg)
{
    struct sigaction action = {.sa_handler = end};
    struct error err;

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    cli_note(cli, "Waiting in %s for the other node, at most %d s ...", cli->settings.store,
             timeout_ms / 1000);
    if (store_peer_test(cli->settings.store, cli->settings.node, timeout_ms, fn, arg, &err))
        fn("test with another node", false, err.text, arg);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
}
