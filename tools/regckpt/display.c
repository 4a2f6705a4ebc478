/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <ctype.h>
#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "display.h"

#define X_PORT 6000 /* of display 0 */
#define X_DISPLAYS 59536

/* Does a server listen on the local socket of a display; the name begins with NUL where Linux keeps
 * names that are no files? */
static bool listens_here(const char *name, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens;

    memcpy(address.sun_path, name, len);
    listens = sock >= 0 && !connect(sock, (struct sockaddr *)&address,
                                    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    if (sock >= 0)
        close(sock);
    return listens;
}

static bool listens_at(const char *host, unsigned display)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *a;
    bool listens = false;
    char port[16];

    snprintf(port, sizeof(port), "%u", X_PORT + display);
    if (getaddrinfo(host, port, &hints, &list))
        return false;
    for (a = list; a && !listens; a = a->ai_next) {
        int sock = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

        listens = sock >= 0 && !connect(sock, a->ai_addr, a->ai_addrlen);
        if (sock >= 0)
            close(sock);
    }
    freeaddrinfo(list);
    return listens;
}

static bool listens(const char *host, unsigned display)
{
    char name[64];
    int len;

    if (*host && strcmp(host, "unix"))
        return listens_at(host, display);
    len = snprintf(name, sizeof(name), "%c/tmp/.X11-unix/X%u", 0, display);
    return listens_here(name + 1, (size_t)len - 1) || listens_here(name, (size_t)len) ||
           listens_at("localhost", display);
}

int display_check(struct error *err)
{
    const char *display = getenv("DISPLAY"), *colon;
    char host[256], *end;
    unsigned long number;

    if (!display || !*display)
        return error_set(err, RESULT_UNPROTECTED,
                         "There is no display: DISPLAY is not set. Run it in a graphical session, or by "
                         "\"ssh -X\"; without one, \"regckpt edit NAME -- reg ...\" or a shell edits too.");
    colon = strrchr(display, ':');
    number = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (!colon || !isdigit((unsigned char)colon[1]) || (*end && *end != '.') || number >= X_DISPLAYS ||
        (size_t)(colon - display) >= sizeof(host))
        return error_set(err, RESULT_UNPROTECTED, "DISPLAY is \"%s\", which names no display (:0, HOST:10.0).",
                         display);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - display), display);
    if (strchr(host, '/')) /* tcp/HOST:0, or a socket's path: the X library knows */
        return RESULT_OK;
    if (!listens(host, (unsigned)number))
        return error_set(err, RESULT_UNPROTECTED,
                         "No X server answers at DISPLAY=%s. Run it in a graphical session, or by \"ssh "
                         "-X\"; without one, \"regckpt edit NAME -- reg ...\" or a shell edits too.", display);
    return RESULT_OK;
}
