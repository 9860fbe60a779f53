/* Many clients of one server, in one thread: as fast as they can, all at once, slowly, or evenly.
 *
 *     clients PORT [options]        for large_origin.c or a cache in front of it
 *
 * All connect first, then begin together. Each answer must be a whole 200, and with --check the
 * very bytes that belong to its request. The last line of the output has the figures. */
#define _GNU_SOURCE
#include "client_options.h"
#include "http.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { HEAD = 16384, SCRATCH = 262144, EVENTS = 256, TICK_MS = 50 };
enum { FINE = 512, BUCKETS = 40 * FINE };

struct client {
    int fd;
    enum { IDLE, SENDING, READING_HEAD, READING_BODY, DONE } state;
    int is_post, is_readable;
    uint64_t key, received, seed;
    double begun, answered;
    struct outgoing out;
    struct digest content;
    struct framing body;
    size_t filled;
    char target[512];
    char head[HEAD + 1];
};

struct figures {
    uint64_t requests, failures, hits, collapsed, bytes;
    uint64_t latency[BUCKETS];
    double slowest, last;
};

static struct figures total, since;
static struct client *clients;
static int poll_fd, complaints;
static double started, next_start;
static uint64_t random_state = 88172645463325252u, next_key;
static char scratch[SCRATCH];

static double random_unit(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

static void note(struct figures *f, double latency, double at) {
    double us = latency * 1e6 < 1 ? 1 : latency * 1e6;
    int power = ilogb(us);
    int bucket = power * FINE + (int)((us / exp2(power) - 1) * FINE);
    f->latency[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (latency > f->slowest) f->slowest = latency;
    f->last = at;
}

static double percentile(const struct figures *f, double part) {
    uint64_t all = 0, sum = 0;
    for (int i = 0; i < BUCKETS; i++) all += f->latency[i];
    for (int i = 0; i < BUCKETS; i++) {
        sum += f->latency[i];
        if (sum > 0 && (double)sum >= part * (double)all)
            return exp2(i / FINE) * (1 + (i % FINE + 0.5) / FINE);
    }
    return 0;
}

static void print(const struct figures *f, const char *name, double seconds) {
    printf("%s seconds=%.3f requests=%llu failures=%llu hits=%llu collapsed=%llu bytes=%llu p50_us=%.0f "
           "p99_us=%.0f max_us=%.0f last_us=%.0f\n",
           name, seconds, (unsigned long long)f->requests, (unsigned long long)f->failures,
           (unsigned long long)f->hits, (unsigned long long)f->collapsed, (unsigned long long)f->bytes,
           percentile(f, 0.5), percentile(f, 0.99), f->slowest * 1e6, (f->last - started) * 1e6);
    fflush(stdout);
}

/* A tick looks after those that are slow on purpose, not the poll. */
static int is_paced(const struct client *c) {
    return c->state == SENDING ? c->is_post && options.drip > 0 : options.read_rate > 0;
}

static void watch(struct client *c) {
    uint32_t events = c->state == SENDING ? EPOLLOUT | EPOLLIN : EPOLLIN;
    struct epoll_event event = {.events = is_paced(c) ? 0 : events, .data.ptr = c};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static int open_connection(struct client *c) {
    int one = 1, buffer = 262144;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0) return -1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* A slow reader must be slow for the server too. */
    if (options.read_rate > 0) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) return -1;
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    c->state = IDLE;
    c->filled = 0;
    return epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event);
}

static uint64_t scatter(uint64_t key) {
    uint64_t word = pattern_word(0x5DEECE66D, key * 2654435761u);
    return word ^ word >> 33;
}

static uint64_t size_of_key(uint64_t key) {
    if (options.smallest == options.largest) return options.smallest;
    double part = (double)(scatter(key) & 0xFFFFFF) / 0x1000000;
    return (uint64_t)((double)options.smallest *
                      pow((double)options.largest / (double)options.smallest, part));
}

static void begin(struct client *c, uint64_t key) {
    c->key = key;
    c->is_post = (double)(scatter(key) >> 32 & 0xFFFF) / 0x10000 * 100 < options.posts;
    /* A POST is told from others by its content alone. */
    char name[32] = "";
    if (!c->is_post) snprintf(name, sizeof name, "&key=%llu", (unsigned long long)key);
    snprintf(c->target, sizeof c->target, "/bytes/%llu?salt=%s%s%s%s",
             (unsigned long long)size_of_key(key), options.salt, name,
             options.query[0] != 0 ? "&" : "", options.query);
    outgoing_begin(&c->out);
    struct outgoing *o = &c->out;
    o->size = (size_t)sprintf(o->bytes, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n",
                              c->is_post ? "POST" : "GET", c->target, options.port);
    if (c->is_post) {
        o->length = options.content;
        o->seed = scatter(key + 1);
        o->is_chunked = options.is_chunked;
        o->size += (size_t)sprintf(o->bytes + o->size, "Content-Type: application/octet-stream\r\n");
        o->size += o->is_chunked
                       ? (size_t)sprintf(o->bytes + o->size, "Transfer-Encoding: chunked\r\n")
                       : (size_t)sprintf(o->bytes + o->size, "Content-Length: %llu\r\n",
                                         (unsigned long long)o->length);
    }
    o->size += (size_t)sprintf(o->bytes + o->size, "\r\n");
    c->content = (struct digest){0};
    c->received = 0;
    c->filled = 0;
    c->state = SENDING;
    c->begun = now();
    watch(c);
}

static uint64_t choose(int number) {
    if (options.is_each) return options.seconds > 0 ? next_key++ : (uint64_t)number;
    return (uint64_t)((double)options.keys * pow(random_unit(), options.skew)) % options.keys;
}

/* What is to be asked for has been. */
static int is_over(double at) {
    if (options.seconds <= 0) return 1;
    return at - started >= options.seconds || (options.is_each && next_key >= options.keys);
}

static void failed(struct client *c, const char *why) {
    total.requests++, since.requests++;
    total.failures++, since.failures++;
    if (complaints++ < 5)
        fprintf(stderr, "clients: %s %s: %s, after %llu bytes of the answer, %.3f s\n",
                c->is_post ? "POST" : "GET", c->target, why, (unsigned long long)c->received,
                now() - c->begun);
    close(c->fd);
    c->state = DONE;
    if (!is_over(now()) && open_connection(c) < 0) c->state = DONE;
}

static void finished(struct client *c) {
    double at = now();
    total.requests++, since.requests++;
    note(&total, at - c->begun, at);
    note(&since, at - c->begun, at);
    c->state = IDLE;
    if (options.seconds <= 0) c->state = DONE;
}

/* Sends what may be sent by now; -1 when the server is gone. */
static int send_on(struct client *c) {
    for (;;) {
        int result = outgoing_send(&c->out, c->fd);
        if (result <= 0) return result;
        uint64_t most = PIECE;
        if (c->is_post && options.drip > 0) {
            double part = (now() - c->begun) / options.drip;
            uint64_t allowed = part >= 1 ? c->out.length : (uint64_t)(part * (double)c->out.length);
            most = allowed > c->out.made ? allowed - c->out.made : 0;
            if (most == 0 && c->out.made < c->out.length) return 0;
        }
        if (outgoing_make(&c->out, most, &c->content)) continue;
        c->seed = answer_seed(c->target, strlen(c->target), digest_end(&c->content));
        c->state = READING_HEAD;
        watch(c);
        return 0;
    }
}

static const char *take_body(struct client *c, const char *bytes, size_t count) {
    while (count > 0 && c->body.state != OVER) {
        size_t skip, part = framing_next(&c->body, bytes, count, &skip);
        if (options.is_checked && !pattern_matches(c->seed, c->received, bytes + skip, part))
            return "wrong bytes";
        c->received += part;
        total.bytes += part, since.bytes += part;
        bytes += skip + part;
        count -= skip + part;
    }
    if (count > 0) return "more bytes than the answer has";
    if (c->body.state != OVER) return NULL;
    if (c->received != size_of_key(c->key)) return "an answer of another length";
    finished(c);
    return NULL;
}

static const char *take_head(struct client *c) {
    c->head[c->filled] = 0;
    char *end = memmem(c->head, c->filled, "\r\n\r\n", 4);
    if (end == NULL) return c->filled < HEAD ? NULL : "a head without an end";
    if (strncmp(c->head, "HTTP/1.1 200 ", 13) != 0) {
        static char why[96];
        snprintf(why, sizeof why, "%.*s", (int)strcspn(c->head, "\r"), c->head);
        return why;
    }
    const char *cache = field(c->head, end, "x-cache"), *status = field(c->head, end, "cache-status");
    int is_hit = cache != NULL && strncmp(cache, "HIT", 3) == 0;
    int is_collapsed = status != NULL && memmem(status, strcspn(status, "\r"), "collapsed", 9) != NULL;
    total.hits += (uint64_t)is_hit, since.hits += (uint64_t)is_hit;
    total.collapsed += (uint64_t)is_collapsed, since.collapsed += (uint64_t)is_collapsed;
    framing_of_head(&c->body, c->head, end);
    c->state = READING_BODY;
    c->answered = now();
    size_t used = (size_t)(end + 4 - c->head);
    return take_body(c, c->head + used, c->filled - used);
}

/* Reads what may be read by now. */
static void read_on(struct client *c) {
    for (int rounds = 0; rounds < 16 && (c->state == READING_HEAD || c->state == READING_BODY); rounds++) {
        int is_head = c->state == READING_HEAD;
        size_t most = is_head ? HEAD - c->filled : SCRATCH;
        if (!is_head && options.read_rate > 0) {
            double allowed = (now() - c->answered) * options.read_rate - (double)c->received;
            if (allowed < 1) return;
            if (allowed < (double)most) most = (size_t)allowed;
        }
        /* The kernel throws away what nobody looks at. */
        int is_blind = !is_head && !options.is_checked && !c->body.is_chunked;
        if (is_blind && c->body.left < most) most = (size_t)c->body.left;
        ssize_t got = recv(c->fd, is_head ? c->head + c->filled : scratch, most, is_blind ? MSG_TRUNC : 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) return failed(c, got == 0 ? "the server ended the connection" : strerror(errno));
        const char *why;
        if (is_head) {
            c->filled += (size_t)got;
            why = take_head(c);
        } else {
            why = take_body(c, scratch, (size_t)got);
        }
        if (why != NULL) return failed(c, why);
    }
}

static void go_on(struct client *c, uint32_t events) {
    if (c->state == SENDING) {
        /* Who answers before it has all of the content has refused it. */
        char byte;
        ssize_t early = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (early > 0) {
            ssize_t got = recv(c->fd, c->head, HEAD, MSG_DONTWAIT);
            c->head[got > 0 ? got : 0] = 0;
            c->head[strcspn(c->head, "\r")] = 0;
            char why[128];
            snprintf(why, sizeof why, "answered before all was sent: %.64s", c->head);
            return failed(c, why);
        }
        if (early == 0 || send_on(c) < 0) return failed(c, "the server ended the connection");
    }
    if (c->state == IDLE && events != 0) {
        /* The server may end a connection that nothing is asked on. */
        close(c->fd);
        if (open_connection(c) < 0) c->state = DONE;
        return;
    }
    read_on(c);
}

static int start_idle(double at) {
    /* With a rate all have their turn. */
    static int first;
    int busy = 0, start = first;
    for (int turn = 0; turn < options.clients; turn++) {
        int i = options.rate > 0 ? (start + turn) % options.clients : turn;
        struct client *c = &clients[i];
        if (c->state == IDLE && options.seconds > 0 && is_over(at)) c->state = DONE;
        if (c->state == IDLE && (options.rate <= 0 || at >= next_start)) {
            if (options.rate > 0) {
                first = i + 1;
                next_start = (next_start < at - 0.1 ? at : next_start) + 1 / options.rate;
            }
            begin(c, choose(i));
        }
        if (c->state != DONE) busy++;
    }
    return busy;
}

static void run(void) {
    struct epoll_event events[EVENTS];
    double next_tick = 0, next_report = started + options.report;
    int has_pace = options.drip > 0 || options.read_rate > 0;
    while (start_idle(now()) > 0) {
        double at = now();
        if (at - started >= options.limit) break;
        if (has_pace && at >= next_tick) {
            next_tick = at + TICK_MS / 1e3;
            for (int i = 0; i < options.clients; i++)
                if (clients[i].state != IDLE && clients[i].state != DONE && is_paced(&clients[i]))
                    go_on(&clients[i], 0);
        }
        if (options.report > 0 && at >= next_report) {
            print(&since, "report", at - started);
            memset(&since, 0, sizeof since);
            next_report += options.report;
        }
        int count = epoll_wait(poll_fd, events, EVENTS, options.rate > 0 ? 2 : has_pace ? TICK_MS / 2 : 100);
        for (int i = 0; i < count; i++) {
            struct client *c = events[i].data.ptr;
            if (c->state != DONE) go_on(c, events[i].events);
            /* Again at once, not when all others have had their turn. */
            if (c->state == IDLE && options.rate <= 0 && options.seconds > 0 && !is_over(now()))
                begin(c, choose(0));
        }
    }
    for (int i = 0; i < options.clients; i++)
        if (clients[i].state != DONE && clients[i].state != IDLE) {
            options.seconds = 0;
            failed(&clients[i], "not finished");
        }
}

int main(int argc, char **argv) {
    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    poll_fd = epoll_create1(0);
    clients = calloc((size_t)options.clients, sizeof *clients);
    if (clients == NULL) return 1;
    for (int i = 0; i < options.clients; i++) {
        if (open_connection(&clients[i]) < 0) {
            perror("clients: connect");
            return 1;
        }
    }
    /* All of them must be with the server, not in the system's queue. */
    if (options.clients > 1) usleep(300000);
    started = next_start = now();
    memset(&total, 0, sizeof total);
    run();
    print(&total, "total", now() - started);
    return total.failures > 0;
}
