/* Starts a server and measures from its exec to the first byte of its first hit.
 *
 *     first_hit PORT SIGNAL PUTS PROGRAM ARGUMENT...
 *
 * Prints milliseconds and how many connections were accepted and then reset, or not answered for
 * two seconds (it tries again). Afterwards asks for PUTS answers that are not stored yet, so that a kill
 * finds writes that are not checkpointed, and ends the server with SIGNAL. The server's output goes
 * to this program's standard error. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int connected(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 2};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

/* Sends a GET and returns how many bytes of the answer's beginning came. */
static ssize_t get(int fd, int port, const char *target, char *answer, size_t size) {
    char request[256];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
                          target, port);
    if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length) return -1;
    return recv(fd, answer, size, 0);
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: first_hit PORT SIGNAL PUTS PROGRAM ARGUMENT...\n");
        return 2;
    }
    int port = atoi(argv[1]), signal_number = atoi(argv[2]), puts_wanted = atoi(argv[3]);
    double start = now();
    pid_t pid = fork();
    if (pid < 0) return 1;
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[4], argv + 4);
        _exit(127);
    }
    int fd = -1, status = 1, failures = 0;
    char answer[65536] = "";
    ssize_t got = -1;
    while (got <= 0 && now() - start < 60000) {
        if ((fd = connected(port)) >= 0) {
            got = get(fd, port, "/hit", answer, sizeof answer - 1);
            if (got > 0) break;
            close(fd);
            fd = -1;
            failures++;
        }
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            fprintf(stderr, "first_hit: the server ended\n");
            return 1;
        }
        struct timespec pause = {.tv_nsec = 50000};
        nanosleep(&pause, NULL);
    }
    double taken = now() - start;
    if (got > 0) answer[got] = 0;
    if (got > 0 && strstr(answer, "X-Cache: HIT") != NULL) {
        printf("%.2f %d\n", taken, failures);
        status = 0;
    } else {
        fprintf(stderr, "first_hit: not a hit: %.*s\n", (int)(got > 0 ? got : 0), answer);
    }
    for (int i = 0; i < puts_wanted; i++) {
        char target[64];
        snprintf(target, sizeof target, "/fresh/%d/%d", (int)pid, i);
        int other = connected(port);
        get(other, port, target, answer, sizeof answer);
        close(other);
    }
    if (fd >= 0) close(fd);
    kill(pid, signal_number);
    waitpid(pid, NULL, 0);
    return status;
}
