#pragma once
/* The predefined applications that a rule of a member may name. Others would need the hierarchy
 * `applications`. */
#include <stdint.h>

struct conf_application {
    const char *name;
    uint8_t protocol;               /* 0: any */
    uint16_t port_first, port_last; /* destination; 0 and 65535: any */
};

/* The application of that name, or NULL. */
const struct conf_application *conf_application(const char *name);
/* All of them, ended by a NULL name. */
extern const struct conf_application conf_applications[];
