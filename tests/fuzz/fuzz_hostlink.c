/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host that answers anything.  The first byte of the input says what the host is asked, or 0 that
 * it has just connected; the rest is all it says.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hostlink.h"
#include "random_image.h"

static void adopt(struct hostlink *link)
{
    struct message hello;
    int sock = link->sock;

    if (message_receive(sock, &hello, -1)) return;
    hostlink_adopt(link, sock, &hello, NULL);
    message_free(&hello);
    if (link->service) fuzz_use(link->service, strlen(link->service) + 1);
}

static void ask_keys(struct hostlink *link)
{
    const struct registered_key keys[2] = {
        { .id = 1, .view = VIEW_64, .path = (char *)"Software\\A" },
        { .id = 2, .view = VIEW_32, .path = (char *)"Software\\B" },
    };
    char *physical[2] = { NULL, NULL };
    bool exists[2];

    hostlink_keys(link, keys, 2, exists, physical, NULL);
    for (int i = 0; i < 2; i++) {
        if (physical[i]) fuzz_use(physical[i], strlen(physical[i]) + 1);
        free(physical[i]);
    }
}

static void ask_arm(struct hostlink *link)
{
    bool exists;

    hostlink_arm(link, 1, &exists, NULL);
}

static void ask_scan(struct hostlink *link)
{
    struct scan_facts facts;
    struct image image;

    hostlink_scan(link, 1, true, &image, &facts, NULL);
    image_free(&image);
}

static void ask_load(struct hostlink *link)
{
    unsigned seed = 1;
    struct image image;

    random_image(&seed, &image, 0);
    hostlink_load(link, 1, &image, NULL);
    image_free(&image);
}

static void ask_apply(struct hostlink *link)
{
    unsigned seed = 2;
    struct image from, to;
    uint64_t applied = 0;

    random_image(&seed, &from, 0);
    random_image(&seed, &to, 0);
    hostlink_apply_diff(link, 1, &from, &to, &applied, NULL);
    image_free(&from);
    image_free(&to);
}

static void ask_marker(struct hostlink *link)
{
    hostlink_marker(link, "resource", 7, NULL);
}

static void query_program(struct hostlink *link, const char *kind, const char *program)
{
    struct program_facts facts;
    struct resource resource;

    resource_init(&resource);
    FUZZ_HOLDS(!resource_set(&resource, kind, program, NULL));
    if (!hostlink_query_program(link, &resource, &facts, NULL))
        fuzz_use(facts.image_path, strlen(facts.image_path) + 1);
    program_facts_free(&facts);
    resource_free(&resource);
}

static void ask_service(struct hostlink *link)
{
    query_program(link, "service", "Svc");
}

static void ask_application(struct hostlink *link)
{
    query_program(link, "command", "C:\\program.exe");
}

static void ask_start(struct hostlink *link)
{
    char *why_not;

    if (!hostlink_start_program(link, "C:\\program.exe", "", "", -1, 0, &why_not, NULL))
        fuzz_use(why_not, strlen(why_not) + 1);
    free(why_not);
    hostlink_resume(link, NULL);
}

static void ask_unwrap(struct hostlink *link)
{
    struct resource resource;
    bool changed;

    resource_init(&resource);
    FUZZ_HOLDS(!resource_set(&resource, "service", "Svc", NULL));
    hostlink_unwrap(link, &resource, &changed, NULL);
    resource_free(&resource);
}

static void ask_nothing(struct hostlink *link)
{
    hostlink_poll(link, NULL);
}

static void (*const asks[])(struct hostlink *link) = {
    adopt, ask_keys, ask_arm, ask_scan, ask_load, ask_apply, ask_marker, ask_service,
    ask_application, ask_start, ask_unwrap, ask_nothing,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct hostlink link = { .role = HOST_LAUNCHER };
    int before;

    if (!len) return 0;
    before = fuzz_open_descriptors();
    link.sock = fuzz_socket(bytes + 1, len - 1, 0);
    asks[bytes[0] % (sizeof(asks) / sizeof(asks[0]))](&link);
    link.role = HOST_LAUNCHER; /* an agent would be waited for as our child */
    hostlink_close(&link);
    fuzz_socket_end(-1);
    FUZZ_HOLDS(fuzz_open_descriptors() == before);
    return 0;
}
