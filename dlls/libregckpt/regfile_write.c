/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing .reg files (see regfile.h).
 *
 * A text stands between quotation marks only where every reader gives it back; with a line break, a
 * control character or half a surrogate pair in it, it is written as hex(1):.
 */
#define _GNU_SOURCE
#include "regfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define REG_SZ 1
#define REG_EXPAND_SZ 2
#define REG_BINARY 3
#define REG_DWORD 4
#define REG_MULTI_SZ 7
#define LINE_CHARS 77 /* hexadecimal data goes on in the next line behind this, as in regedit */

/* Is it one half of a surrogate pair? */
static bool is_surrogate(uint16_t unit)
{
    return (unit & 0xf800) == 0xd800;
}

/* For people: what a terminal would act on, or cannot show, is replaced. */
static void make_printable(uint16_t *units, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint16_t unit = units[i];

        if (is_surrogate(unit) && (unit & 0xfc00) == 0xd800 && i + 1 < len &&
            (units[i + 1] & 0xfc00) == 0xdc00)
            i++;
        else if (is_surrogate(unit) || (unit < 0x20 && unit != '\n' && unit != '\t') ||
                 (unit >= 0x7f && unit < 0xa0) || (unit >= 0x200b && unit <= 0x200f) ||
                 (unit >= 0x2028 && unit <= 0x202e) || (unit >= 0x2060 && unit <= 0x206f) ||
                 unit >= 0xfff0)
            units[i] = unit == '\r' && i + 1 < len && units[i + 1] == '\n' ? unit : 0xfffd;
    }
}

/* Hands what is gathered to the stream. */
static void flush(struct regfile_writer *w)
{
    char bytes[3 * REGFILE_UNITS];
    size_t used = w->used, len, kept = 0;

    if (w->terminal && used > 1 && ((w->units[used - 1] & 0xfc00) == 0xd800 ||
                                    w->units[used - 1] == '\r'))
        kept = 1; /* its other half comes later */
    used -= kept;
    if (w->terminal) {
        make_printable(w->units, used);
        len = utf16_put_utf8((struct utf16){w->units, used}, false, bytes);
    } else {
        len = 2 * used;
        for (size_t i = 0; i < used; i++) {
            bytes[2 * i] = (char)w->units[i];
            bytes[2 * i + 1] = (char)(w->units[i] >> 8);
        }
    }
    errno = 0;
    if (w->out && !w->result && fwrite(bytes, 1, len, w->out) != len)
        w->result = errno ? errno : EIO;
    if (kept)
        w->units[0] = w->units[used];
    w->used = kept;
}

/* Writes one unit. */
static void put(struct regfile_writer *w, uint16_t unit)
{
    if (w->used == REGFILE_UNITS)
        flush(w);
    w->units[w->used++] = unit;
}

/* Writes ASCII. */
static void put_text(struct regfile_writer *w, const char *text)
{
    while (*text)
        put(w, (unsigned char)*text++);
}

/* Writes a text with what has a meaning there escaped, in quotation marks; returns its length. */
static size_t put_quoted(struct regfile_writer *w, struct utf16 s)
{
    size_t len = s.len + 2;

    put(w, '"');
    for (size_t i = 0; i < s.len; i++) {
        uint16_t unit = s.units[i];
        bool escape = unit == '"' || unit == '\\' || unit == '\r' || unit == '\n';

        if (escape)
            put(w, '\\');
        len += escape;
        put(w, unit == '\r' ? 'r' : unit == '\n' ? 'n' : unit);
    }
    put(w, '"');
    return len;
}

/* Two digits a byte; column: what the line holds already. */
static void put_hex(struct regfile_writer *w, const uint8_t *data, size_t size, size_t column)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        put(w, (unsigned char)digits[data[i] >> 4]);
        put(w, (unsigned char)digits[data[i] & 15]);
        if (i + 1 == size)
            break;
        put(w, ',');
        column += 3;
        if (column >= LINE_CHARS) {
            put_text(w, "\\\r\n  ");
            column = 2;
        }
    }
}

/* May the data stand between quotation marks? */
static bool is_plain_text(const struct image_value *v)
{
    const uint16_t *units = (const uint16_t *)v->data;
    size_t len = v->size_bytes / 2;

    if (v->type != REG_SZ || !len || v->size_bytes % 2 || units[len - 1])
        return false;
    for (size_t i = 0; i + 1 < len; i++) {
        if ((units[i] < 0x20 && units[i] != '\t') || units[i] >= 0xfff0)
            return false;
        if (is_surrogate(units[i])) {
            if (units[i] >= 0xdc00 || (units[i + 1] & 0xfc00) != 0xdc00)
                return false;
            i++;
        }
    }
    return true;
}

static bool is_text(const struct image_value *v)
{
    return v->type == REG_SZ || v->type == REG_EXPAND_SZ || v->type == REG_MULTI_SZ;
}

/* Does regedit add to the data what a text of this type should end with? */
static bool is_open_text(const struct image_value *v)
{
    return is_text(v) && v->size_bytes &&
           (v->size_bytes % 2 || v->data[v->size_bytes - 1] || v->data[v->size_bytes - 2]);
}

/* Tells what the file does not say, in it and to the caller. */
__attribute__((format(printf, 3, 4)))
static void remark(struct regfile_writer *w, struct utf16 name, const char *format, ...)
{
    struct utf16 path = {w->path, w->path_len};
    char *key = utf16_for_display(path), *value = utf16_for_display(name);
    char *what = NULL, *sentence = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&what, format, args) < 0)
        what = NULL;
    va_end(args);
    if (!key || !value || !what ||
        asprintf(&sentence, "%s%s%s%s: %s", key, name.len ? ", value \"" : "",
                 name.len ? value : "", name.len ? "\"" : "", what) < 0) {
        if (!w->result)
            w->result = ENOMEM;
        sentence = NULL;
    }
    if (sentence) {
        regfile_write_comment(w, sentence);
        if (w->remark)
            w->remark(sentence, w->arg);
    }
    free(sentence);
    free(what);
    free(value);
    free(key);
}

/* A key or value that cannot be in a .reg file: a remark or an error.  0: go on without it. */
static int refuse(struct regfile_writer *w, struct utf16 value, bool is_value, const char *why,
                  struct error *err)
{
    struct utf16 path = {w->path, w->path_len};
    char *key, *name;
    int result;

    if (w->leave_out) {
        remark(w, value, "left out: %s", why);
        return RESULT_OK;
    }
    key = utf16_for_display(path);
    name = utf16_for_display(value);
    result = error_set(err, RESULT_INVALID,
                       "%s%s%s%s cannot be written to a .reg file: %s. Leave such out with "
                       "--leave-out.",
                       is_value ? "The value \"" : "The key \"",
                       is_value ? (name ? name : "?") : "",
                       is_value ? "\" of the key \"" : "", key ? key : "?", why);
    free(key);
    free(name);
    return result;
}

/* One value with its line's end. */
static int put_value(struct regfile_writer *w, const struct image_value *v, struct error *err)
{
    char tag[32];
    size_t column = 2;

    for (size_t i = 0; i < v->name.len; i++)
        if (!v->name.units[i])
            return refuse(w, v->name, true, "its name holds a NUL character", err);
    if (is_text(v) && v->size_bytes == 1)
        return refuse(w, v->name, true, "it is a text of one byte, at which regedit and reg.exe of "
                                        "Wine crash", err);
    if (is_open_text(v))
        remark(w, v->name, "regedit and reg.exe will end this text with a NUL, which it has not; "
                           "regckpt import takes it as it is.");
    if (v->name.len) {
        column = put_quoted(w, v->name) + 1;
        put(w, '=');
    } else {
        put_text(w, "@=");
    }
    if (is_plain_text(v)) {
        put_quoted(w, (struct utf16){(const uint16_t *)v->data, v->size_bytes / 2 - 1});
    } else if (v->type == REG_DWORD && v->size_bytes == 4) {
        snprintf(tag, sizeof(tag), "dword:%02x%02x%02x%02x", v->data[3], v->data[2], v->data[1],
                 v->data[0]);
        put_text(w, tag);
    } else {
        if (v->type == REG_BINARY)
            strcpy(tag, "hex:");
        else
            snprintf(tag, sizeof(tag), "hex(%x):", v->type);
        put_text(w, tag);
        put_hex(w, v->data, v->size_bytes, column + strlen(tag));
    }
    put_text(w, "\r\n");
    return RESULT_OK;
}

/* Appends a key's name, or at first the path of the tree, to the path. */
static int push(struct regfile_writer *w, struct utf16 name)
{
    size_t want = w->path_len + 1 + name.len;

    if (want > w->path_room) {
        uint16_t *bigger = realloc(w->path, want * 2 * sizeof(*bigger));

        if (!bigger)
            return ENOMEM;
        w->path = bigger;
        w->path_room = want * 2;
    }
    if (w->path_len)
        w->path[w->path_len++] = '\\';
    if (name.len)
        memcpy(w->path + w->path_len, name.units, name.len * sizeof(*w->path));
    w->path_len += name.len;
    return RESULT_OK;
}

/* Why a key cannot be in a .reg file; NULL: it can. */
static const char *key_problem(const struct regfile_writer *w, const struct image_key *key)
{
    for (size_t i = 0; i < key->name.len; i++)
        if (!key->name.units[i] || key->name.units[i] == '\r' || key->name.units[i] == '\n')
            return "its name holds a NUL character or a line break";
    if (w->path_len - sizeof(REGFILE_ROOT) > REGFILE_MAX_PATH)
        return "its path is longer than 32766 characters";
    return NULL;
}

/* A key with its subtree; the depth is bounded by IMAGE_MAX_DEPTH. */
static int put_key(struct regfile_writer *w, const struct image_key *key, struct error *err)
{
    static const struct utf16 none;
    const char *problem = key_problem(w, key);
    size_t path_len = w->path_len;
    int result = RESULT_OK;

    if (problem)
        return refuse(w, none, false, problem, err);
    put_text(w, "\r\n");
    if (key->flags & KEY_FLAG_LINK) {
        remark(w, none, "left out: a .reg file cannot say that a key is a symbolic link.");
        return RESULT_OK;
    }
    if (key->class.len) {
        char *class = utf16_for_display(key->class);

        remark(w, none, "its class \"%s\" is left out: a .reg file has no place for one.",
               class ? class : "?");
        free(class);
    }
    put(w, '[');
    for (size_t i = 0; i < path_len; i++)
        put(w, w->path[i]);
    put_text(w, "]\r\n");
    for (uint32_t i = 0; !result && i < key->value_count; i++)
        result = put_value(w, &key->values[i], err);
    for (uint32_t i = 0; !result && !w->result && i < key->key_count; i++) {
        if (push(w, key->keys[i]->name))
            w->result = ENOMEM;
        else
            result = put_key(w, key->keys[i], err);
        w->path_len = path_len;
    }
    return result;
}

void regfile_write_begin(struct regfile_writer *w, FILE *out, bool terminal)
{
    memset(w, 0, sizeof(*w));
    w->out = out;
    w->terminal = terminal;
    if (!terminal)
        put(w, 0xfeff);
    put_text(w, REGFILE_HEADER_5 "\r\n");
}

/* The first failure of the stream or of memory. */
static int stream_result(const struct regfile_writer *w, struct error *err)
{
    return w->result ? error_system(err, w->result, "Writing the .reg file") : RESULT_OK;
}

int regfile_write_tree(struct regfile_writer *w, const char *path, const struct image *image,
                       struct error *err)
{
    static const uint16_t root[] = u"" REGFILE_ROOT;
    struct utf16 units = {0};
    int result;

    if (!image->root)
        return RESULT_OK;
    w->path_len = 0;
    result = utf16_from_utf8(path, strlen(path), &units);
    if (!result && !(result = push(w, (struct utf16){root, sizeof(root) / sizeof(*root) - 1})))
        result = push(w, units);
    free((void *)units.units);
    if (result)
        return error_system(err, result == RESULT_INVALID ? EILSEQ : result,
                            "Writing the key \"%s\"", path);
    result = put_key(w, image->root, err);
    return result ? result : stream_result(w, err);
}

void regfile_write_comment(struct regfile_writer *w, const char *text)
{
    struct utf16 units;

    if (utf16_from_utf8(text, strlen(text), &units)) {
        w->result = w->result ? w->result : ENOMEM;
        return;
    }
    put_text(w, "; ");
    for (size_t i = 0; i < units.len; i++)
        put(w, units.units[i]);
    put_text(w, "\r\n");
    free((void *)units.units);
}

int regfile_write_end(struct regfile_writer *w, struct error *err)
{
    put_text(w, "\r\n");
    flush(w);
    free(w->path);
    w->path = NULL;
    errno = 0;
    if (w->out && !w->result && fflush(w->out))
        w->result = errno ? errno : EIO;
    return stream_result(w, err);
}
