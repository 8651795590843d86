#include "sqlite/mark.h"

#include "crypto/hash.h"
#include "wire/rd.h"
#include "wire/wr.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* Two places, a sector apart: instance | revision | HMAC of both. The newest one is never
 * overwritten. (Its revision does not tell where it is: most commits leave no mark.) */
enum { PLACES = 2, PLACE_DISTANCE = 4096, BODY = SEAL_INSTANCE + 8, MAC = 32, PLACE = BODY + MAC };

enum err mark_open(int folder, const char *path, struct why *why, struct mark_file *ret)
{
    int fd = openat(folder, "store.mark", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum err e = ERR_OK;

    if (fd < 0 || fsync(folder) != 0)
        e = why_errno(why, "cannot open the mark in", path);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        e = why_set(why, ERR_BUSY,
                    "another key server uses %s: the mark of its database is there, and each would "
                    "take its own for an older copy",
                    path);
    if (e && fd >= 0)
        close(fd);
    if (!e)
        *ret = (struct mark_file){.fd = fd};
    return e;
}

static struct secret mac_key(const struct secret *master)
{
    return hkdf(secret_bytes(master), bytes(NULL, 0), bytes_str("conclave store mark"));
}

static bool read_place(int fd, size_t i, const struct secret *key, struct mark *ret)
{
    uint8_t octets[PLACE];
    struct mark m;

    if (pread(fd, octets, PLACE, (off_t)(i * PLACE_DISTANCE)) != PLACE)
        return false;
    if (!hmac_check(HASH_SHA256, secret_bytes(key), PARTS(bytes(octets, BODY)),
                    bytes(octets + BODY, MAC)))
        return false;
    struct rd r = rd_of(bytes(octets, BODY));
    memcpy(m.instance, rd_take(&r, sizeof m.instance).data, sizeof m.instance);
    m.revision = rd_u64(&r);
    *ret = m;
    return true;
}

enum err mark_read(struct mark_file *f, const struct secret *master, struct mark *ret)
{
    SECRET key = mac_key(master);
    struct mark newest = {0}, m;
    bool found = false;

    for (unsigned i = 0; i < PLACES; i++) {
        if (read_place(f->fd, i, &key, &m) && (!found || m.revision > newest.revision)) {
            newest = m;
            found = true;
            f->next = (i + 1) % PLACES;
        }
    }
    if (found)
        *ret = newest;
    return found ? ERR_OK : ERR_NOT_FOUND;
}

enum err mark_write(struct mark_file *f, const struct secret *master, const struct mark *mark,
                    struct why *why)
{
    SECRET key = mac_key(master);
    uint8_t octets[PLACE];
    struct wr w = wr_of(octets, BODY);

    wr_put(&w, BYTES_OF(mark->instance));
    wr_u64(&w, mark->revision);
    hmac_parts(HASH_SHA256, secret_bytes(&key), PARTS(wr_bytes(&w)), octets + BODY);
    off_t at = (off_t)f->next * PLACE_DISTANCE;
    if (pwrite(f->fd, octets, PLACE, at) != PLACE || fdatasync(f->fd) != 0)
        return why_errno(why, "cannot write", "store.mark");
    f->next = (f->next + 1) % PLACES;
    return ERR_OK;
}

void mark_close(struct mark_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}
