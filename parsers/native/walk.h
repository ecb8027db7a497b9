/* The walk: skip the frames of learned origin. `parsers/wire/foreign.py` is the
   specification, and holds the reasons. */
#ifndef HEROKU_KAFKA_AGENT_WALK_H
#define HEROKU_KAFKA_AGENT_WALK_H

#include "table.h"

enum {
    MAX_ORIGINS = 4096,
    ORIGIN_BYTES = 18,
    IN_TIMESTAMP = 11,
    USUAL_ORIGIN = IN_TIMESTAMP + 32
};

typedef struct {
    size_t position;
    size_t skipped;
} Walk;

/* Read "335 <": the bytes from here to the next frame, or 0 for any other count. */
static inline size_t
read_step(const char *text)
{
    if (text[0] < '1' || text[0] > '9' || !is_digit(text[1]) || !is_digit(text[2])
        || text[3] != ' ' || text[4] != '<') {
        return 0;
    }
    return 4 + (size_t)((text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0');
}

/* An origin begins with a blank; at the end of the body it may be shorter. */
static inline int
is_origin(const Table *origins, const char *text, size_t left)
{
    Span origin = {text, left < ORIGIN_BYTES ? left : ORIGIN_BYTES};
    return *text == ' ' && table_find(origins, origin, (Span){NULL, 0}) != NULL;
}

static inline Walk
skip_foreign(const Table *origins, Span body, size_t position, size_t stop,
             size_t limit)
{
    Walk walk = {position, 0};
    while (walk.position < stop && walk.position < body.size
           && body.size - walk.position > IN_TIMESTAMP) {
        const char *frame = body.text + walk.position;
        size_t left = body.size - walk.position;
        size_t step = read_step(frame);
        if (step == 0 || step > limit) {
            break;
        }
        if (left <= USUAL_ORIGIN
            || !is_origin(origins, frame + USUAL_ORIGIN, left - USUAL_ORIGIN)) {
            const char *blank = memchr(frame + IN_TIMESTAMP, ' ', left - IN_TIMESTAMP);
            if (blank == NULL
                || !is_origin(origins, blank, (size_t)(frame + left - blank))) {
                break;
            }
        }
        walk.position += step;
        walk.skipped++;
    }
    return walk;
}

#endif
