/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scans: what NtSaveKey writes of a key, as an image.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostlink_private.h"

int hostlink_memory_file(struct error *err)
{
    int fd = memfd_create("regckpt", MFD_CLOEXEC);

    if (fd < 0)
        error_system(err, errno, "cannot make a file in memory for a scan");
    /* opened again by name on the Wine side, which may run as another user */
    else
        fchmod(fd, 0666);
    return fd;
}

/* What comes with the text. */
struct save_reply {
    struct scan_facts facts;
    bool has_nul; /* a subkey named by one NUL */
};

static int save(struct hostlink *link, uint32_t key_id, struct utf16 base, bool watch, int fd,
                struct save_reply *out, struct error *err)
{
    struct message reply = {.fd = -1};
    struct unpack u;
    struct pack p;
    int error;

    pack_init(&p);
    pack_u32(&p, key_id);
    pack_u32(&p, watch);
    pack_utf16(&p, base);
    error = hostlink_ask(link, HOST_SAVE, &p, fd, HOSTLINK_BULK_MS, &reply, &u, err);
    pack_free(&p);
    if (!error) {
        out->facts.exists = unpack_u32(&u);
        out->facts.server_ns = unpack_u64(&u);
        out->facts.marker_epoch = unpack_u64(&u);
        out->has_nul = unpack_u32(&u);
        if (unpack_failed(&u))
            error = error_set(err, RESULT_INVALID, "regckpt-host sent a reply that cannot be read");
    }
    message_free(&reply);
    return error;
}

int hostlink_scan_below(struct hostlink *link, uint32_t key_id, struct utf16 base, bool watch,
                        struct image *image, struct scan_facts *facts, struct winereg_facts *said,
                        struct error *err)
{
    struct save_reply reply = {.has_nul = false};
    int fd = hostlink_memory_file(err), error;
    bool parted;
    struct stat st;

    image_init(image);
    memset(said, 0, sizeof(*said));
    if (fd < 0)
        return EIO;
    error = save(link, key_id, base, watch, fd, &reply, err);
    if (!error && reply.facts.exists) {
        if (!fstat(fd, &st))
            reply.facts.text_bytes = st.st_size;
        error = winereg_parse_fd(fd, "what NtSaveKey wrote", image, said, err);
    }
    close(fd);
    if (facts)
        *facts = reply.facts;
    if (!error && image->root && reply.has_nul && !said->nul_section)
        error = hostlink_part_nul(link, key_id, base, image, err);
    if (!error && image->root && (said->doubts || reply.has_nul))
        error = hostlink_part_twins(link, key_id, base, image, &parted, err);
    if (error)
        image_free(image);
    return error;
}

int hostlink_scan(struct hostlink *link, uint32_t key_id, bool watch, struct image *image,
                  struct scan_facts *facts, struct error *err)
{
    struct utf16 itself = {NULL, 0};
    struct winereg_facts said;

    return hostlink_scan_below(link, key_id, itself, watch, image, facts, &said, err);
}
