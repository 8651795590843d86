#pragma once
/* The persistent TUN device. Frames carry a virtio_net header, so that the kernel hands us TCP
 * super-packets and leaves checksums to us, and takes both from us. */
#include "data/data.h"

#include <linux/virtio_net.h>

/* Makes the device, or finds it. */
int tun_create(void) MUST_USE;
int tun_delete(void) MUST_USE;
/* A non-blocking descriptor, or -1 with errno: EBUSY when another process reads the device. */
int tun_open(bool *ret_udp); /* *ret_udp: it takes UDP super-packets too (Linux 6.2) */
