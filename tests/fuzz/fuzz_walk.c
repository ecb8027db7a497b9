/* libFuzzer on the compiled walk: no sanitizer may report, and a plain version that looks
   for origins one after the other must give the same answer.

   input = limit / 256, stop (2 bytes, little endian), number of origins, origins of
   18 bytes, body. `tests/parsers/test_speedups.py` reads the corpus in the same way and
   compares with Python. `make fuzz` builds and runs it. */
#include "../../parsers/native/walk.h"

static int
contains(const unsigned char *origins, size_t count, Span body, size_t place)
{
    char origin[ORIGIN_BYTES];
    size_t size = place < body.size ? body.size - place : 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(origin, origins + i * ORIGIN_BYTES, ORIGIN_BYTES);
        origin[0] = ' ';
        if (size >= ORIGIN_BYTES
            && memcmp(origin, body.text + place, ORIGIN_BYTES) == 0) {
            return 1;
        }
    }
    return 0;
}

static size_t
plain_step(Span body, size_t position)
{
    size_t count = 0;
    if (body.size < position + 5) {
        return 0;
    }
    for (size_t i = 0; i < 3; i++) {
        char digit = body.text[position + i];
        if (digit < (i ? '0' : '1') || digit > '9') {
            return 0;
        }
        count = count * 10 + (size_t)(digit - '0');
    }
    return memcmp(body.text + position + 3, " <", 2) ? 0 : count + 4;
}

static Walk
skip_plainly(const unsigned char *origins, size_t count, Span body, size_t stop,
             size_t limit)
{
    Walk walk = {0, 0};
    while (walk.position < stop) {
        size_t step = plain_step(body, walk.position);
        size_t place = walk.position + USUAL_ORIGIN;
        if (step == 0 || step > limit) {
            break;
        }
        if (!contains(origins, count, body, place)) {
            place = walk.position + IN_TIMESTAMP;
            while (place < body.size && body.text[place] != ' ') {
                place++;
            }
            if (!contains(origins, count, body, place)) {
                break;
            }
        }
        walk.position += step;
        walk.skipped++;
    }
    return walk;
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 4 || size - 4 < data[3] * (size_t)ORIGIN_BYTES) {
        return 0;
    }
    size_t limit = data[0] * (size_t)256, stop = data[1] + data[2] * (size_t)256;
    const unsigned char *origins = data + 4;
    size_t before = 4 + data[3] * (size_t)ORIGIN_BYTES;
    /* A copy of its own, so that the sanitizer sees a read beyond its end. */
    char *copy = malloc(size - before + !(size - before));
    memcpy(copy, data + before, size - before);
    Span body = {copy, size - before};
    Table table = {.secrets = {0x9E3779B97F4A7C15, 0xD1B54A32D192ED03}};
    for (size_t i = 0; i < data[3]; i++) {
        char origin[ORIGIN_BYTES];
        memcpy(origin, origins + i * ORIGIN_BYTES, ORIGIN_BYTES);
        origin[0] = ' ';
        Span key = {origin, ORIGIN_BYTES};
        if (table_add(&table, key, (Span){NULL, 0}) == NULL
            || table_find(&table, key, (Span){NULL, 0}) == NULL) {
            abort();
        }
    }
    Walk walk = skip_foreign(&table, body, 0, stop, limit);
    Walk plain = skip_plainly(origins, data[3], body, stop, limit);
    if (walk.position != plain.position || walk.skipped != plain.skipped) {
        abort();
    }
    table_clear(&table);
    free(copy);
    return 0;
}
