/* What all loops read: bytes of a known size. No Python in this file, nor in those that
   include it; `speedups.c` wraps them, and `tests/fuzz/` compiles them alone. */
#ifndef HEROKU_KAFKA_AGENT_SPAN_H
#define HEROKU_KAFKA_AGENT_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *text;
    size_t size;
} Span;

static inline int
is_digit(char character)
{
    return character >= '0' && character <= '9';
}

#endif
