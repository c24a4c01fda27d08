/* Preloaded into a client, it finds the name in SLOW_NAME at 127.0.0.1, LOOKUP_MS late. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*lookup)(const char *, const char *, const struct addrinfo *,
                      struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    const char *name = getenv("SLOW_NAME"), *milliseconds = getenv("LOOKUP_MS");
    if (node && name && milliseconds && strcmp(node, name) == 0) {
        usleep(atoi(milliseconds) * 1000);
        node = "127.0.0.1";
    }
    return ((lookup)dlsym(RTLD_NEXT, "getaddrinfo"))(node, service, hints, found);
}
