/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A peer of the sockets that says anything: the first byte of the input is how many descriptors
 * ride along, the rest is what is said.  Every message that comes is given to every unpacker.
 */
#include <stdlib.h>
#include <string.h>

#include "ctlproto.h"
#include "fuzz.h"

#define MOST_RIDING 5 /* one, more than one, and more than are made room for */

/* Fields of other versions are passed over: what was understood is packed, and understood the same. */
static void use_status(const struct message *m)
{
    struct monitor_status status, again;
    struct unpack u;
    struct pack p, q;

    unpack_init(&u, m->payload, m->len_bytes);
    if (unpack_monitor_status(&u, &status)) return;
    pack_init(&p);
    pack_monitor_status(&p, &status);
    unpack_init(&u, p.bytes, p.len);
    FUZZ_HOLDS(!unpack_monitor_status(&u, &again) && (size_t)(u.at - p.bytes) == p.len);
    pack_init(&q);
    pack_monitor_status(&q, &again);
    FUZZ_HOLDS(p.len == q.len && !memcmp(p.bytes, q.bytes, p.len));
    pack_free(&p);
    pack_free(&q);
    monitor_status_free(&status);
    monitor_status_free(&again);
}

static void use_registered_key(const struct message *m)
{
    struct registered_key key;
    struct unpack u;
    struct pack p;

    unpack_init(&u, m->payload, m->len_bytes);
    if (unpack_registered_key(&u, &key)) return;
    pack_init(&p);
    pack_registered_key(&p, &key);
    fuzz_use(p.bytes, p.len);
    registered_key_free(&key);
    unpack_init(&u, p.bytes, p.len);
    FUZZ_HOLDS(!unpack_registered_key(&u, &key) && unpack_done(&u));
    registered_key_free(&key);
    pack_free(&p);
}

/* A count and so many changes, as a difference is told. */
static void use_changes(const struct message *m)
{
    struct change change;
    struct unpack u;
    struct pack p;

    unpack_init(&u, m->payload, m->len_bytes);
    for (uint32_t left = unpack_u32(&u); left && !unpack_failed(&u); left--) {
        unpack_change(&u, &change);
        fuzz_use(change.data, change.size_bytes);
        pack_init(&p);
        pack_change(&p, &change);
        fuzz_use(p.bytes, p.len);
        pack_free(&p);
        change_free(&change);
    }
}

/* A reply's result and text, as the command reads them; or names and values of CTL_SET. */
static void use_texts(const struct message *m)
{
    struct unpack u;
    char *text;

    unpack_init(&u, m->payload, m->len_bytes);
    for (unpack_u32(&u); (text = unpack_text(&u)); free(text)) fuzz_use(text, strlen(text) + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct message m;
    int before, sock;

    if (!len) return 0;
    before = fuzz_open_descriptors();
    sock = fuzz_socket(bytes + 1, len - 1, bytes[0] % (MOST_RIDING + 1));
    while (!message_receive(sock, &m, -1)) {
        use_status(&m);
        use_registered_key(&m);
        use_changes(&m);
        use_texts(&m);
        message_free(&m);
    }
    fuzz_socket_end(sock);
    FUZZ_HOLDS(fuzz_open_descriptors() == before);
    return 0;
}
