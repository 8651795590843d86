#pragma once
/* Every name and number that the data path leaves in the kernel, in one place. Members that share a
 * machine live in network namespaces, so these need not differ. */

#define DATA_TUN "conclave0"
#define DATA_GUARD "conclave_guard" /* nft tables, family ip */
#define DATA_STEER "conclave_steer"

enum {
    /* SO_MARK of our own ESP and control sockets: routed by the main table, passed by the guard */
    DATA_MARK_OWN = 0x848,
    DATA_MARK_OWN_MASK = 0xffff,
    /* what the steering table decided, in bits that others seldom use */
    DATA_MARK_PROTECT = 0x10000, /* into the TUN */
    DATA_MARK_ESP = 0x20000,     /* from the WAN, for us whatever its destination */
    DATA_MARK_CLEAR = 0x40000,   /* excluded, or failing open */
    DATA_MARK_MASK = 0xf0000,

    DATA_LAN_GROUP = 848, /* link group of the LAN interfaces */

    DATA_TABLE_TUN = 200, /* default into the TUN, a black hole behind it */
    DATA_TABLE_ESP = 201, /* everything is local */
    DATA_BLACKHOLE_METRIC = 0x7f000000,

    /* ip rules, in order */
    DATA_PREF_OWN = 80,      /* our own packets: main table */
    DATA_PREF_ESP = 90,      /* ESP from the WAN: to us */
    DATA_PREF_OPENED = 100,  /* what we decrypted: main table, never captured again */
    DATA_PREF_LAN = 105,     /* what leaves by a LAN interface is not ours */
    DATA_PREF_CLEAR = 108,   /* exclude and fail-open: main table */
    DATA_PREF_PROTECT = 110, /* selected with ports, by the steering table */
    DATA_PREF_POLICY = 111,  /* selected by address: holds when somebody flushes nft */

    /* Beyond so many address pairs the mark alone steers: rules are looked at one after the other.
     */
    DATA_POLICY_RULES = 512,

    DATA_MTU_DEFAULT = 1407, /* of the TUN without keys: 1500 less the largest overhead */
    DATA_MTU_MIN = 576,      /* what a router on the way may talk us down to (RFC 791) */
    DATA_PMTU_ROUTES = 256,
    DATA_PMTU_LIFE_S = 600, /* RFC 1191 6.3 */
    DATA_GROUPS_MAX = 256,  /* multicast groups joined on the WAN */
    DATA_MFC_MAX = 1024,    /* multicast flows captured from the LAN */
    DATA_LANS_MAX = 24,     /* LAN interfaces with multicast */
    DATA_EXTERNALS_MAX = 8,
    DATA_BATCHES = 64, /* handled before a thread looks whether it shall end */
    DATA_NICE = -10,   /* of the two packet threads */
    DATA_SLOT = 10240, /* one packet with room around it: tunnel-mtu is at most 9192 */
};
