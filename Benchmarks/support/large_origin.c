/* The origin of the benchmarks with bodies of all sizes: one thread, epoll.
 *
 *     large_origin PORT        listens on 127.0.0.1:PORT until it is killed
 *
 * GET or POST /bytes/N    N bytes that follow from the target and from the content (http.h), so
 *                         that a wrong, mixed-up or cut answer shows. In the query:
 *                         delay=MS  before the head;  chunked=1;  cc=TEXT  Cache-Control
 *                         (max-age=86400)
 * GET /count              how many requests for /bytes there were, how many bytes of content */
#define _GNU_SOURCE
#include "http.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BUFFER = 65536, EVENTS = 256 };

struct connection {
    int fd;
    enum { READING_HEAD, READING_CONTENT, WAITING, SENDING } state;
    size_t filled;
    struct framing content;
    struct digest digest;
    char target[2048];
    double due;
    struct connection *next, **link; /* those who wait */
    struct outgoing out;
    char bytes[BUFFER + 1];
};

static int poll_fd;
static struct connection *waiting;
static uint64_t requests, content_bytes;

static void watch(struct connection *c, uint32_t events) {
    struct epoll_event event = {.events = events | EPOLLRDHUP, .data.ptr = c};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void stop_waiting(struct connection *c) {
    if (c->link == NULL) return;
    *c->link = c->next;
    if (c->next != NULL) c->next->link = c->link;
    c->link = NULL;
}

static void end(struct connection *c) {
    stop_waiting(c);
    close(c->fd);
    free(c->out.bytes);
    free(c);
}

/* The value of a parameter in the target's query; *count is 0 when it is not there. */
static const char *parameter(const char *target, const char *name, size_t *count) {
    const char *at = strchr(target, '?');
    size_t length = strlen(name);
    *count = 0;
    for (; at != NULL; at = strchr(at, '&')) {
        at++;
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            *count = strcspn(at + length + 1, "&");
            return at + length + 1;
        }
    }
    return "0";
}

/* Writes the head; the body is made while it goes out. */
static void answer(struct connection *c) {
    char date[64];
    time_t seconds = time(NULL);
    struct tm parts;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &parts));
    struct outgoing *o = &c->out;
    c->state = SENDING;
    if (strncmp(c->target, "/count", 6) == 0) {
        char text[64];
        int length = snprintf(text, sizeof text, "%llu %llu\n", (unsigned long long)requests,
                              (unsigned long long)content_bytes);
        o->size = (size_t)sprintf(o->bytes,
                                  "HTTP/1.1 200 OK\r\nDate: %s\r\nCache-Control: no-store\r\n"
                                  "Content-Length: %d\r\n\r\n%s",
                                  date, length, text);
        return;
    }
    size_t count;
    const char *cc = parameter(c->target, "cc", &count);
    if (count == 0) cc = "max-age=86400", count = 13;
    o->length = strtoull(c->target + strlen("/bytes/"), NULL, 10);
    o->seed = answer_seed(c->target, strlen(c->target), digest_end(&c->digest));
    size_t ignored;
    o->is_chunked = atoi(parameter(c->target, "chunked", &ignored)) != 0;
    char framing[64];
    if (o->is_chunked) {
        strcpy(framing, "Transfer-Encoding: chunked");
    } else {
        snprintf(framing, sizeof framing, "Content-Length: %llu", (unsigned long long)o->length);
    }
    o->size = (size_t)sprintf(o->bytes,
                              "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: application/octet-stream\r\n"
                              "Cache-Control: %.*s\r\n%s\r\n\r\n",
                              date, (int)count, cc, framing);
}

/* All of a request is here. */
static void asked(struct connection *c) {
    outgoing_begin(&c->out);
    size_t ignored;
    int delay = atoi(parameter(c->target, "delay", &ignored));
    if (strncmp(c->target, "/count", 6) == 0) delay = 0;
    if (delay <= 0) return answer(c);
    c->state = WAITING;
    c->due = now() + delay / 1e3;
    c->next = waiting;
    c->link = &waiting;
    if (waiting != NULL) waiting->link = &c->next;
    waiting = c;
    watch(c, 0);
}

/* Takes the head at the start of the buffer, if it is whole; -1 when it makes no sense. */
static int take_head(struct connection *c) {
    c->bytes[c->filled] = 0;
    char *end = memmem(c->bytes, c->filled, "\r\n\r\n", 4);
    if (end == NULL) return c->filled < BUFFER ? 0 : -1;
    char *target = memchr(c->bytes, ' ', (size_t)(end - c->bytes));
    size_t length = target != NULL ? strcspn(++target, " \r\n") : 0;
    if (length == 0 || length >= sizeof c->target) return -1;
    memcpy(c->target, target, length);
    c->target[length] = 0;
    int is_bytes = strncmp(c->target, "/bytes/", 7) == 0;
    if (!is_bytes && strncmp(c->target, "/count", 6) != 0) return -1;
    if (is_bytes) requests++;
    framing_of_head(&c->content, c->bytes, end);
    c->digest = (struct digest){0};
    size_t used = (size_t)(end + 4 - c->bytes);
    memmove(c->bytes, c->bytes + used, c->filled - used);
    c->filled -= used;
    c->state = READING_CONTENT;
    return 1;
}

/* Counts and digests what is in the buffer of the content. */
static void take_content(struct connection *c) {
    size_t at = 0;
    while (at < c->filled && c->content.state != OVER) {
        size_t skip, part = framing_next(&c->content, c->bytes + at, c->filled - at, &skip);
        digest_add(&c->digest, c->bytes + at + skip, part);
        content_bytes += part;
        at += skip + part;
    }
    memmove(c->bytes, c->bytes + at, c->filled - at);
    c->filled -= at;
}

/* Goes on as far as it can; -1 ends the connection. */
static int advance(struct connection *c) {
    for (;;) {
        switch (c->state) {
        case READING_HEAD: {
            int result = take_head(c);
            if (result <= 0) return result;
            break;
        }
        case READING_CONTENT:
            take_content(c);
            if (c->content.state != OVER) return 0;
            asked(c);
            break;
        case WAITING: return 0;
        case SENDING: {
            int result = outgoing_send(&c->out, c->fd);
            if (result < 0) return -1;
            if (result == 0) return watch(c, EPOLLOUT), 0;
            if (outgoing_make(&c->out, PIECE, NULL)) break;
            c->state = READING_HEAD;
            watch(c, EPOLLIN);
            break;
        }
        }
    }
}

static int readable(struct connection *c) {
    ssize_t got = recv(c->fd, c->bytes + c->filled, BUFFER - c->filled, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (got == 0) return -1;
    c->filled += (size_t)got;
    return advance(c);
}

/* Answers those whose time has come; returns the milliseconds to the next. */
static int wake(void) {
    double at = now(), first = 1e18;
    for (struct connection *c = waiting, *next; c != NULL; c = next) {
        next = c->next;
        if (c->due > at) {
            if (c->due < first) first = c->due;
            continue;
        }
        stop_waiting(c);
        answer(c);
        if (advance(c) < 0) end(c);
    }
    return first > 1e17 ? -1 : (int)((first - at) * 1e3) + 1;
}

static int ready(struct connection *c, uint32_t events) {
    if (events & (EPOLLERR | EPOLLHUP)) return -1;
    if (events & EPOLLOUT) return advance(c);
    if (events & EPOLLIN) return readable(c);
    return events & EPOLLRDHUP ? -1 : 0;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: large_origin PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 4096) < 0) {
        perror("large_origin");
        return 1;
    }
    poll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll_fd, events, EVENTS, wake());
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (c == NULL) {
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (fd < 0) continue;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                c = calloc(1, sizeof *c);
                if (c == NULL) return 1;
                c->fd = fd;
                event = (struct epoll_event){.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
                epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
            } else if (ready(c, events[i].events) < 0) {
                end(c);
            }
        }
    }
}
