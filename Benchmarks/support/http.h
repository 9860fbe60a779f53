/* What the origin and the clients of the benchmarks share: bytes that say where they belong, a
 * digest, chunked framing and a buffer on its way out. */
#ifndef HTTP_H
#define HTTP_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum { PIECE = 65536 };

static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The pattern: every aligned word follows from a seed and its place, so that each part of a body
 * can be made and checked by itself, and no body is like another. */
static inline uint64_t pattern_word(uint64_t seed, uint64_t index) {
    uint64_t word = (seed + index) * 0x9E3779B97F4A7C15u;
    return word ^ word >> 29;
}

static inline void pattern_fill(uint64_t seed, uint64_t offset, char *bytes, size_t count) {
    while (count > 0) {
        uint64_t word = pattern_word(seed, offset / 8);
        size_t skip = offset % 8, part = 8 - skip < count ? 8 - skip : count;
        memcpy(bytes, (char *)&word + skip, part);
        bytes += part, offset += part, count -= part;
        for (; count >= 8; bytes += 8, offset += 8, count -= 8) {
            word = pattern_word(seed, offset / 8);
            memcpy(bytes, &word, 8);
        }
    }
}

static inline int pattern_matches(uint64_t seed, uint64_t offset, const char *bytes, size_t count) {
    uint64_t wrong = 0;
    while (count > 0) {
        uint64_t word = pattern_word(seed, offset / 8), got;
        size_t skip = offset % 8, part = 8 - skip < count ? 8 - skip : count;
        if (memcmp(bytes, (char *)&word + skip, part) != 0) return 0;
        bytes += part, offset += part, count -= part;
        for (; count >= 8; bytes += 8, offset += 8, count -= 8) {
            memcpy(&got, bytes, 8);
            wrong |= got ^ pattern_word(seed, offset / 8);
        }
    }
    return wrong == 0;
}

/* The digest of bytes that come in parts of any size. */
struct digest {
    uint64_t value, word;
    uint64_t count;
};

static inline void digest_word(struct digest *d, uint64_t word) {
    d->value = (d->value ^ word) * 0xD6E8FEB86659FD93u;
    d->value ^= d->value >> 32;
}

static inline void digest_add(struct digest *d, const char *bytes, size_t count) {
    for (; count > 0 && d->count % 8 != 0; bytes++, count--) {
        d->word |= (uint64_t)(unsigned char)*bytes << d->count % 8 * 8;
        if (++d->count % 8 == 0) digest_word(d, d->word);
    }
    for (; count >= 8; bytes += 8, count -= 8, d->count += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        digest_word(d, word);
    }
    if (count > 0) d->word = 0;
    for (; count > 0; bytes++, count--) d->word |= (uint64_t)(unsigned char)*bytes << d->count++ % 8 * 8;
}

static inline uint64_t digest_end(struct digest *d) {
    if (d->count == 0) return 0;
    if (d->count % 8 != 0) digest_word(d, d->word);
    digest_word(d, d->count);
    return d->value;
}

/* The seed of an answer: of its target and of the content it was asked with (0: none). */
static inline uint64_t answer_seed(const char *target, size_t count, uint64_t content) {
    struct digest d = {0};
    digest_add(&d, target, count);
    return digest_end(&d) ^ content;
}

/* Framing of what comes in. Takes bytes and says how many of the next are of the body: the others
 * (sizes, line ends) are to be skipped. */
struct framing {
    uint64_t left; /* of the body, or of the chunk */
    int is_chunked;
    enum { SIZE, SIZE_REST, DATA, DATA_END, LAST_LINE, OVER } state;
    int line; /* characters of the line of a trailer */
};

static inline void framing_begin(struct framing *f, int is_chunked, uint64_t length) {
    *f = (struct framing){.is_chunked = is_chunked, .left = is_chunked ? 0 : length, .state = SIZE};
    if (!is_chunked) f->state = length > 0 ? DATA : OVER;
}

/* Bytes of the body at the start of `bytes`; *skip says how many bytes come before them. */
static inline size_t framing_next(struct framing *f, const char *bytes, size_t count, size_t *skip) {
    size_t at = 0;
    while (at < count && f->state != DATA && f->state != OVER) {
        char c = bytes[at++];
        switch (f->state) {
        case SIZE: {
            static const char digits[] = "0123456789abcdef";
            const char *digit = c != 0 ? strchr(digits, c | 0x20) : NULL;
            if (c == '\n') {
                f->state = f->left > 0 ? DATA : LAST_LINE;
            } else if (digit != NULL && c != '\r') {
                f->left = f->left * 16 + (uint64_t)(digit - digits);
            } else {
                f->state = SIZE_REST;
            }
            break;
        }
        case SIZE_REST:
            if (c == '\n') f->state = f->left > 0 ? DATA : LAST_LINE;
            break;
        case DATA_END:
            if (c == '\n') f->state = SIZE;
            break;
        case LAST_LINE:
            if (c == '\n' && f->line == 0) f->state = OVER;
            f->line = c == '\n' ? 0 : c == '\r' ? f->line : f->line + 1;
            break;
        case DATA:
        case OVER: break;
        }
    }
    *skip = at;
    if (f->state != DATA) return 0;
    size_t part = count - at < f->left ? count - at : (size_t)f->left;
    f->left -= part;
    if (f->left == 0) f->state = f->is_chunked ? DATA_END : OVER;
    return part;
}

/* The value of a field in a head that ends at `end`; NULL when it is not there. */
static inline const char *field(const char *head, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *line = head; line < end;) {
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            line += length + 1;
            while (*line == ' ') line++;
            return line;
        }
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (next == NULL) break;
        line = next + 1;
    }
    return NULL;
}

static inline void framing_of_head(struct framing *f, const char *head, const char *end) {
    const char *length = field(head, end, "content-length");
    const char *coding = field(head, end, "transfer-encoding");
    framing_begin(f, coding != NULL && strncasecmp(coding, "chunked", 7) == 0,
                  length != NULL ? strtoull(length, NULL, 10) : 0);
}

/* What goes out: a head, then pieces of the pattern, as they are or as chunks. */
struct outgoing {
    char *bytes;
    size_t size, sent;
    uint64_t seed, made, length;
    int is_chunked, is_ended;
};

static inline int outgoing_begin(struct outgoing *o) {
    if (o->bytes == NULL) o->bytes = malloc(PIECE + 64);
    o->size = o->sent = 0;
    o->seed = o->made = o->length = 0;
    o->is_chunked = o->is_ended = 0;
    return o->bytes != NULL ? 0 : -1;
}

/* Makes the next piece, of at most `most` bytes of the pattern; 0 when there is none. Call it when
 * everything before has gone out. */
static inline int outgoing_make(struct outgoing *o, uint64_t most, struct digest *digest) {
    uint64_t left = o->length - o->made;
    size_t count = left < PIECE ? (size_t)left : PIECE;
    if (count > most) count = (size_t)most;
    o->size = o->sent = 0;
    if (count > 0) {
        if (o->is_chunked) o->size = (size_t)sprintf(o->bytes, "%zx\r\n", count);
        char *start = o->bytes + o->size;
        pattern_fill(o->seed, o->made, start, count);
        if (digest != NULL) digest_add(digest, start, count);
        o->size += count;
        o->made += count;
        if (o->is_chunked) o->size += (size_t)sprintf(o->bytes + o->size, "\r\n");
    }
    if (o->is_chunked && o->made == o->length && !o->is_ended) {
        o->size += (size_t)sprintf(o->bytes + o->size, "0\r\n\r\n");
        o->is_ended = 1;
    }
    return o->size > 0;
}

/* 1: all has gone out, 0: the other side must take some first, -1: it is gone. */
static inline int outgoing_send(struct outgoing *o, int fd) {
    while (o->sent < o->size) {
        ssize_t sent = send(fd, o->bytes + o->sent, o->size - o->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return errno == EAGAIN ? 0 : -1;
        o->sent += (size_t)sent;
    }
    return 1;
}

#endif
