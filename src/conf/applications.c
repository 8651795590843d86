#include "conf/applications.h"

#include <stddef.h>
#include <string.h>

enum { ANY = 65535, ICMP = 1, TCP = 6, UDP = 17, GRE = 47, OSPF = 89 };

// clang-format off
const struct conf_application conf_applications[] = {
    {"any",              0,    0,    ANY},
    {"junos-bgp",        TCP,  179,  179},
    {"junos-dns-tcp",    TCP,  53,   53},
    {"junos-dns-udp",    UDP,  53,   53},
    {"junos-gre",        GRE,  0,    ANY},
    {"junos-http",       TCP,  80,   80},
    {"junos-https",      TCP,  443,  443},
    {"junos-icmp-all",   ICMP, 0,    ANY},
    {"junos-ike",        UDP,  500,  500},
    {"junos-ike-nat",    UDP,  4500, 4500},
    {"junos-ldp-tcp",    TCP,  646,  646},
    {"junos-ldp-udp",    UDP,  646,  646},
    {"junos-ntp",        UDP,  123,  123},
    {"junos-ospf",       OSPF, 0,    ANY},
    {"junos-radius",     UDP,  1812, 1812},
    {"junos-ssh",        TCP,  22,   22},
    {"junos-syslog",     UDP,  514,  514},
    {"junos-telnet",     TCP,  23,   23},
    {NULL, 0, 0, 0},
};
// clang-format on

const struct conf_application *conf_application(const char *name)
{
    for (const struct conf_application *a = conf_applications; a->name; a++) {
        if (strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}
