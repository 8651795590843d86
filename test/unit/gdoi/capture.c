#include "gdoi/capture.h"

#include "crypto/crypto.h"
#include "test/hex.h"

#include <stdio.h>

#define FOLDER "test/vectors/gdoi-reference/"

/* Found in frames 10 and 11; the test of those frames finds them there again. */
const char CAPTURE_KEK1_IV_KEY[] =
    "e80bdac97d10672f d295455ca75f99c5dae4dc49b5531985ac093040ddae201c";
const char CAPTURE_KEK2_IV_KEY[] =
    "df77615323892022 62bc4b228b319f445acc461ae022ae7f3273b90d15e0f3df";

enum { PCAP_HEADER = 24, PCAP_RECORD = 16, CAPTURED_LENGTH_AT = 8, ETHERNET = 14, UDP = 8 };

static uint32_t little32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void start_crypto(void)
{
    const char *what = NULL;
    struct crypto_use use = {.hashes = 1u << HASH_SHA1 | 1u << HASH_SHA256 | 1u << HASH_SHA512,
                             .ciphers = 1u << CIPHER_3DES_CBC,
                             .rsa = true};
    if (crypto_start(use, &what) != ERR_OK)
        fail_msg("crypto_start: %s", what);
}

static size_t read_file(const char *path, void *out, size_t room)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(out, 1, room, f);
    assert_true(len > 0 && len < room && feof(f));
    (void)fclose(f);
    return len;
}

void capture_load(struct capture *c)
{
    size_t n = 1;

    start_crypto();
    c->len = read_file(FOLDER "capture.pcap", c->file, sizeof c->file);
    for (size_t at = PCAP_HEADER; at < c->len; n++) {
        size_t len = little32(c->file + at + CAPTURED_LENGTH_AT);
        const uint8_t *ip = c->file + at + PCAP_RECORD + ETHERNET;
        size_t headers = (size_t)(ip[0] & 15) * 4 + UDP;
        assert_true(n <= CAPTURE_FRAMES && at + PCAP_RECORD + len <= c->len);
        c->frame[n] = bytes(ip + headers, len - ETHERNET - headers);
        at += PCAP_RECORD + len;
    }
    assert_int_equal(n, CAPTURE_FRAMES + 1);
}

struct bytes capture_secret(const char *name)
{
    char text[4096], row[128];
    uint8_t octets[256];
    size_t len = read_file(FOLDER "README.md", text, sizeof text - 1), n = 0;

    text[len] = '\0';
    (void)snprintf(row, sizeof row, "\n| %s | ", name);
    char *value = strstr(text, row);
    assert_non_null(value);
    value += strlen(row);
    char *end = strstr(value, " |");
    assert_non_null(end);
    *end = '\0';
    assert_true(bytes_unhex(value, octets, sizeof octets, &n));
    return hex(value);
}

/* The first block of `data` is not decrypted: it is the header. */
static void decrypt(struct bytes key, struct bytes iv, uint8_t *data, size_t len)
{
    uint8_t chained[CAPTURE_BLOCK];

    assert_int_equal(iv.len, sizeof chained);
    assert_int_equal(len % CAPTURE_BLOCK, 0);
    memcpy(chained, iv.data, iv.len);
    cbc_decrypt(CIPHER_3DES_CBC, key, chained, data, len);
}

void capture_open(const struct capture *c, size_t n, struct bytes key, struct bytes iv,
                  struct capture_message *ret)
{
    struct bytes frame = c->frame[n];
    struct capture_message *m = ret;

    assert_true(frame.len <= sizeof m->data);
    memcpy(m->data, frame.data, frame.len);
    m->datagram = bytes(m->data, frame.len);
    assert_int_equal(ike1_header_parse(m->datagram, &m->header), ERR_OK);
    assert_int_equal(m->header.flags, key.len ? IKE1_FLAG_ENCRYPTION : 0);
    if (key.len)
        decrypt(key, iv, m->data + IKE1_HEADER, frame.len - IKE1_HEADER);
    assert_int_equal(ike1_payloads_parse(m->datagram, m->header.next_payload,
                                         key.len ? CAPTURE_BLOCK : 1, &m->chain),
                     ERR_OK);
    m->pad = frame.len - IKE1_HEADER - m->chain.len;
    for (size_t i = 0; i < m->pad; i++)
        assert_int_equal(m->data[frame.len - 1 - i], 0);
}

static struct bytes last_block(struct bytes frame)
{
    return bytes(frame.data + frame.len - CAPTURE_BLOCK, CAPTURE_BLOCK);
}

/* RFC 2409 appendix B: hash(last phase 1 block | M-ID), then the last block of the message before.
 */
static struct bytes pull_iv(const struct capture *c, size_t n, uint8_t digest[HASH_MAX])
{
    struct bytes message_id = bytes(c->frame[n].data + 20, 4);
    if (n > 7)
        return last_block(c->frame[n - 1]);
    hash_parts(HASH_SHA1, PARTS(last_block(c->frame[6]), message_id), digest);
    return bytes(digest, CAPTURE_BLOCK);
}

void capture_read(const struct capture *c, size_t n, struct capture_message *ret)
{
    struct bytes phase1_key = capture_secret("phase 1 3DES key (SKEYID_e expanded)");
    uint8_t digest[HASH_MAX];

    if (n < 5) {
        capture_open(c, n, bytes(NULL, 0), bytes(NULL, 0), ret);
    } else if (n < 7) {
        struct bytes first = capture_secret("phase 1 IV after message 4");
        capture_open(c, n, phase1_key, n == 5 ? first : last_block(c->frame[5]), ret);
    } else if (n < 11) {
        capture_open(c, n, phase1_key, pull_iv(c, n, digest), ret);
    } else {
        struct bytes kek = hex(n == 11 ? CAPTURE_KEK1_IV_KEY : CAPTURE_KEK2_IV_KEY);
        capture_open(c, n, bytes(kek.data + CAPTURE_BLOCK, kek.len - CAPTURE_BLOCK),
                     bytes(kek.data, CAPTURE_BLOCK), ret);
    }
}

const struct chain_payload *capture_payload(const struct capture_message *m, uint8_t type)
{
    const struct chain_payload *p = chain_find(&m->chain, type);
    assert_non_null(p);
    return p;
}
