#pragma once
/* Everything that can become of a packet, from one list: the verdict of the pipelines, the counter
 * and the sentence for the operator (the member IPsec statistics of Junos are sums of these). */
#include "base/compiler.h"

#include <stdint.h>

/*    id                     name                    meaning */
#define ESP_STAT_LIST(X)                                                                           \
    X(ESP_ENCRYPTED, "encrypted-packets", "packets encrypted")                                     \
    X(ESP_ENCRYPTED_BYTES, "encrypted-bytes", "octets of inner packets encrypted")                 \
    X(ESP_DECRYPTED, "decrypted-packets", "packets decrypted and accepted")                        \
    X(ESP_DECRYPTED_BYTES, "decrypted-bytes", "octets of inner packets decrypted and accepted")    \
    X(ESP_TOO_BIG_ANSWERED, "too-big-answered", "ICMP fragmentation needed sent to a host")        \
    /* outbound: dropped, never sent in clear */                                                   \
    X(ESP_OUT_BAD_HEADER, "out-bad-header", "not a whole IPv4 packet")                             \
    X(ESP_OUT_EXCLUDED, "out-excluded", "an exclude rule keeps it out of the VPN")                 \
    X(ESP_OUT_FAIL_CLOSE, "fail-close-dropped", "protected traffic without a key to send with")    \
    X(ESP_OUT_NO_POLICY, "out-no-policy", "no group policy matches")                               \
    X(ESP_OUT_TOO_BIG, "exceeds-tunnel-mtu", "larger than the tunnel MTU allows")                  \
    /* inbound: dropped */                                                                         \
    X(ESP_IN_BAD_HEADER, "bad-headers", "not a whole ESP packet in IPv4")                          \
    X(ESP_IN_UNKNOWN_SPI, "invalid-spi", "no SA has this SPI for these addresses")                 \
    X(ESP_IN_AUTH, "esp-authentication-failures", "integrity check failed")                        \
    X(ESP_IN_DECRYPT, "esp-decryption-failures", "length is not one the cipher makes")             \
    X(ESP_IN_TRAILER, "bad-trailers", "padding is not as specified")                               \
    X(ESP_IN_STAMP_OLD, "d3p-too-old", "time stamp below the anti-replay window")                  \
    X(ESP_IN_STAMP_NEW, "d3p-too-new", "time stamp above the anti-replay window")                  \
    X(ESP_IN_STAMP_MISSING, "d3p-no-timestamp", "no time stamp although the policy asks for one")  \
    X(ESP_IN_STAMP_UNEXPECTED, "d3p-unexpected", "a time stamp that the policy does not ask for")  \
    X(ESP_IN_STAMP_TYPE, "d3p-type-err", "time stamp of another type than the policy's")           \
    X(ESP_IN_STAMP_LENGTH, "d3p-len-err", "time stamp whose length is not its type's")             \
    X(ESP_IN_STAMP_NEXT_HEADER, "d3p-next-hdr-err", "no IPv4 packet behind the time stamp")        \
    X(ESP_IN_NEXT_HEADER, "next-header-errors", "neither an IPv4 packet nor a dummy")              \
    X(ESP_IN_DUMMY, "dummy-packets", "traffic flow confidentiality, RFC 4303 2.6")                 \
    X(ESP_IN_INNER, "bad-inner-headers", "the inner packet is not whole IPv4")                     \
    X(ESP_IN_ADDRESS, "address-mismatches", "inner and outer addresses differ")                    \
    X(ESP_IN_SELECTOR, "ts-check-failures", "outside the policies of its SPI")                     \
    X(ESP_IN_CONGESTION, "ecn-dropped", "congestion marked on a packet that cannot carry it")

enum esp_stat {
#define X(id, name, meaning) id,
    ESP_STAT_LIST(X)
#undef X
        ESP_STAT_COUNT
};

struct esp_stats {
    uint64_t n[ESP_STAT_COUNT];
};

const char *esp_stat_name(enum esp_stat s);
const char *esp_stat_meaning(enum esp_stat s);
