/* The command line of clients.c. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: clients PORT [options]\n"
    "  --clients N       connections (1)\n"
    "  --seconds S       ask again and again for that long (one request each)\n"
    "  --limit S         end after that long, whatever is unfinished counts as failed (120)\n"
    "  --size N[-M]      bytes of an answer; a range is spread evenly over the powers of two (1024)\n"
    "  --keys K          there are K different requests; who asks chooses at random (1)\n"
    "  --skew X          the first keys more often: key = K * random^X (1)\n"
    "  --each            client I asks for key I; again and again: all keys in order, once around\n"
    "  --salt TEXT       in every target: other salts are other answers\n"
    "  --query TEXT      for the origin, such as delay=1000\n"
    "  --posts PERCENT   requests that are POST (0), by key\n"
    "  --content N       bytes of their content (64)\n"
    "  --chunked         content is sent in chunks\n"
    "  --drip S          content is sent evenly over that time\n"
    "  --read-rate N     bytes a second that a client takes\n"
    "  --rate R          requests a second of all together\n"
    "  --check           every byte of every answer\n"
    "  --report S        a line each S seconds\n";

static struct {
    int port, clients, is_each, is_chunked, is_checked;
    double seconds, limit, skew, posts, drip, read_rate, rate, report;
    uint64_t keys, content, smallest, largest;
    const char *salt, *query;
} options = {.clients = 1, .limit = 120, .skew = 1, .keys = 1, .content = 64,
             .smallest = 1024, .largest = 1024, .salt = "", .query = ""};

static void parse(int argc, char **argv) {
    enum {
        CLIENTS, SECONDS, LIMIT, SIZE, KEYS, SKEW, EACH, SALT, QUERY, POSTS, CONTENT, CHUNKED, DRIP,
        READ_RATE, RATE, CHECK, REPORT, HELP
    };
    static const struct option names[] = {
        {"clients", 1, 0, CLIENTS}, {"seconds", 1, 0, SECONDS}, {"limit", 1, 0, LIMIT},
        {"size", 1, 0, SIZE}, {"keys", 1, 0, KEYS}, {"skew", 1, 0, SKEW}, {"each", 0, 0, EACH},
        {"salt", 1, 0, SALT}, {"query", 1, 0, QUERY}, {"posts", 1, 0, POSTS},
        {"content", 1, 0, CONTENT}, {"chunked", 0, 0, CHUNKED}, {"drip", 1, 0, DRIP},
        {"read-rate", 1, 0, READ_RATE}, {"rate", 1, 0, RATE}, {"check", 0, 0, CHECK},
        {"report", 1, 0, REPORT}, {"help", 0, 0, HELP}, {0, 0, 0, 0}};
    for (int name; (name = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        char *rest;
        switch (name) {
        case CLIENTS: options.clients = atoi(optarg); break;
        case SECONDS: options.seconds = atof(optarg); break;
        case LIMIT: options.limit = atof(optarg); break;
        case SIZE:
            options.smallest = options.largest = strtoull(optarg, &rest, 10);
            if (*rest == '-') options.largest = strtoull(rest + 1, NULL, 10);
            break;
        case KEYS: options.keys = strtoull(optarg, NULL, 10); break;
        case SKEW: options.skew = atof(optarg); break;
        case EACH: options.is_each = 1; break;
        case SALT: options.salt = optarg; break;
        case QUERY: options.query = optarg; break;
        case POSTS: options.posts = atof(optarg); break;
        case CONTENT: options.content = strtoull(optarg, NULL, 10); break;
        case CHUNKED: options.is_chunked = 1; break;
        case DRIP: options.drip = atof(optarg); break;
        case READ_RATE: options.read_rate = atof(optarg); break;
        case RATE: options.rate = atof(optarg); break;
        case CHECK: options.is_checked = 1; break;
        case REPORT: options.report = atof(optarg); break;
        default: fputs(usage, name == HELP ? stdout : stderr); exit(name == HELP ? 0 : 2);
        }
    }
    options.port = optind < argc ? atoi(argv[optind]) : 0;
    if (options.port <= 0 || options.clients < 1 || options.keys < 1) {
        fputs(usage, stderr);
        exit(2);
    }
}

#endif
