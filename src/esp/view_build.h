#pragma once
/* How the sadb hands its contents to a new view. Used by sadb.c only. */
#include "esp/sadb.h"

/* One SA of a VPN, as installed. */
struct esp_installed {
    struct esp_sa *sa;
    enum esp_slot slot;
    struct esp_selector *selectors;
    struct esp_match *matches;
    size_t n_selectors;
};
/* Everything that one install says about a VPN. */
struct esp_keys {
    struct arena arena;
    struct esp_installed *sas;
    size_t n_sas;
    struct esp_match *closed; /* protected, but without a key */
    size_t n_closed;
    struct esp_selector
        *policies; /* of the SAs that send and the closed ones; else the last known */
    size_t n_policies;
};
struct esp_vpn {
    struct esp_vpn_config config;
    struct esp_match *excludes; /* each rule and its mirror */
    size_t n_excludes;
    struct esp_keys keys;
};

bool esp_keys_can_send(const struct esp_keys *k);
/* Takes a reference of every SA; esp_view_free() gives it back. */
struct esp_view *esp_view_build(const struct esp_vpn *vpns, size_t n, uint64_t serial);

void esp_sa_ref(struct esp_sa *sa);
void esp_sa_unref(struct esp_sa *sa); /* NULL allowed; the last one wipes and frees */
