#pragma once
/* What libFuzzer calls with each input, and replay.c with each file of a corpus. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
