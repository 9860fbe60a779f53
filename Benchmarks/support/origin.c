/* The origin of the benchmarks: one thread, epoll, answers any request with the same 1 KiB. It does
 * as little as it can, so that the two cores are left to the servers that are measured.
 *
 *     origin PORT        listens on 127.0.0.1:PORT until it is killed
 *
 * It understands Content-Length (the proxies send no other framing for the requests used here) and
 * skips contents unread. A request head must fit into 64 KiB. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY = 1024, BUFFER = 65536, EVENTS = 256 };

struct connection {
    int fd;
    size_t filled;
    size_t skip; /* bytes of a content that are still to come */
    char bytes[BUFFER + 1];
};

static char answer[BODY + 512];
static size_t answer_size;
static time_t answer_time;

static void prepare(void) {
    time_t now = time(NULL);
    if (now == answer_time) return;
    answer_time = now;
    char date[64];
    struct tm parts;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
    int head = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: application/json\r\n"
                        "Cache-Control: max-age=86400\r\nContent-Length: %d\r\n\r\n",
                        date, BODY);
    memset(answer + head, 'x', BODY);
    answer_size = (size_t)head + BODY;
}

/* The Content-Length of a head, 0 when it has none. */
static size_t content_length(const char *head, const char *end) {
    for (const char *line = head; line < end;) {
        if (strncasecmp(line, "content-length:", 15) == 0) return strtoul(line + 15, NULL, 10);
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (next == NULL) break;
        line = next + 1;
    }
    return 0;
}

static int send_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR) continue;
            return -1;
        }
        bytes += sent;
        count -= (size_t)sent;
    }
    return 0;
}

/* Answers every whole request in the buffer; -1 ends the connection. */
static int serve(struct connection *c) {
    size_t start = 0;
    for (;;) {
        size_t skipped = c->filled - start < c->skip ? c->filled - start : c->skip;
        start += skipped;
        c->skip -= skipped;
        if (c->skip > 0 || start == c->filled) break;
        char *head = c->bytes + start;
        char *end = memmem(head, c->filled - start, "\r\n\r\n", 4);
        if (end == NULL) break;
        c->skip = content_length(head, end);
        start = (size_t)(end + 4 - c->bytes);
        /* Whoever sends a content is answered when it is there. */
        if (c->filled - start < c->skip) {
            if (c->skip > BUFFER / 2) return -1;
            start = (size_t)(head - c->bytes);
            c->skip = 0;
            break;
        }
        prepare();
        if (send_all(c->fd, answer, answer_size) < 0) return -1;
    }
    memmove(c->bytes, c->bytes + start, c->filled - start);
    c->filled -= start;
    return c->filled == BUFFER ? -1 : 0;
}

static int readable(struct connection *c) {
    ssize_t got = recv(c->fd, c->bytes + c->filled, BUFFER - c->filled, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (got == 0) return -1;
    c->filled += (size_t)got;
    c->bytes[c->filled] = 0;
    return serve(c);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: origin PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 1024) < 0) {
        perror("origin");
        return 1;
    }
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (c == NULL) {
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (fd < 0) continue;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                c = calloc(1, sizeof *c);
                if (c == NULL) return 1;
                c->fd = fd;
                event.data.ptr = c;
                epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
            } else if (readable(c) < 0) {
                close(c->fd);
                free(c);
            }
        }
    }
}
