/* The loops of the compiled extension, over bytes alone: no Python in this file.

   `_speedups.c` wraps it for Python; `tests/fuzz/` compiles it with libFuzzer. Nothing
   here reads beyond the sizes that it is given, and nothing here knows which origins
   and samples are good: a `Table` holds those that the pure version has learned, and
   what is not in it is left to the pure version.
*/
#ifndef HEROKU_KAFKA_AGENT_SPEEDUPS_H
#define HEROKU_KAFKA_AGENT_SPEEDUPS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- Table: what has been learned, by a key of one or two pieces --------------------

   Open addressing, at most half full. The hash is keyed with a secret, because part of
   the keys is chosen by whoever writes to the drain. */

typedef struct {
    uint64_t hash;
    char *key;    /* both pieces; NULL marks a free slot */
    size_t first; /* size of the first piece */
    size_t second;
    void *value;
    double factor;
} Entry;

typedef struct {
    Entry *slots;
    size_t capacity; /* a power of two, or 0 before the first entry */
    size_t used;
    uint64_t secrets[2];
} Table;

typedef struct {
    const char *text;
    size_t size;
} Span;

static inline uint64_t
mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
load(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    return word;
}

static inline uint64_t
hash_span(const Table *table, uint64_t hash, Span span)
{
    const char *text = span.text, *end = text + span.size;
    uint64_t first = span.size, last = 0;
    for (; end - text > 16; text += 16) {
        hash = mix(load(text) ^ table->secrets[0] ^ hash,
                   load(text + 8) ^ table->secrets[1]);
    }
    if (span.size >= 8) {
        first = end - text > 8 ? load(text) : 0;
        last = load(end - 8); /* read twice in part, which costs less than a loop */
    }
    else {
        memcpy(&last, text, span.size);
    }
    return mix(first ^ table->secrets[0] ^ hash, last ^ table->secrets[1]);
}

static inline uint64_t
hash_key(const Table *table, Span first, Span second)
{
    uint64_t hash = hash_span(table, 0, first);
    return second.size ? hash_span(table, hash, second) : hash;
}

static inline Entry *
table_slot(const Table *table, uint64_t hash, Span first, Span second)
{
    size_t mask = table->capacity - 1;
    for (size_t place = hash & mask;; place = (place + 1) & mask) {
        Entry *entry = &table->slots[place];
        if (entry->key == NULL
            || (entry->hash == hash && entry->first == first.size
                && entry->second == second.size
                && memcmp(entry->key, first.text, first.size) == 0
                && (second.size == 0
                    || memcmp(entry->key + first.size, second.text, second.size)
                           == 0))) {
            return entry;
        }
    }
}

/* Find the entry of a key; NULL where it has not been learned. */
static inline const Entry *
table_find(const Table *table, Span first, Span second)
{
    if (table->used == 0) {
        return NULL;
    }
    Entry *entry = table_slot(table, hash_key(table, first, second), first, second);
    return entry->key == NULL ? NULL : entry;
}

static int
table_grow(Table *table)
{
    Table grown = *table;
    grown.capacity = table->capacity ? table->capacity * 2 : 64;
    grown.slots = calloc(grown.capacity, sizeof(Entry));
    if (grown.slots == NULL) {
        return -1;
    }
    for (size_t place = 0; place < table->capacity; place++) {
        Entry *entry = &table->slots[place];
        if (entry->key != NULL) {
            Span first = {entry->key, entry->first};
            Span second = {entry->key + entry->first, entry->second};
            *table_slot(&grown, entry->hash, first, second) = *entry;
        }
    }
    free(table->slots);
    *table = grown;
    return 0;
}

/* Find or add the entry of a key, whose first piece is not empty; NULL without memory. */
static Entry *
table_add(Table *table, Span first, Span second)
{
    if (table->used * 2 >= table->capacity && table_grow(table) < 0) {
        return NULL;
    }
    uint64_t hash = hash_key(table, first, second);
    Entry *entry = table_slot(table, hash, first, second);
    if (entry->key == NULL) {
        char *key = malloc(first.size + second.size);
        if (key == NULL) {
            return NULL;
        }
        memcpy(key, first.text, first.size);
        if (second.size) {
            memcpy(key + first.size, second.text, second.size);
        }
        *entry = (Entry){hash, key, first.size, second.size, NULL, 0.0};
        table->used++;
    }
    return entry;
}

/* Forget all keys; what the values point to is the caller's. */
static void
table_clear(Table *table)
{
    for (size_t place = 0; place < table->capacity; place++) {
        free(table->slots[place].key);
    }
    free(table->slots);
    table->slots = NULL;
    table->capacity = table->used = 0;
}

/* ---- Walk: skip the frames of learned origin ----------------------------------------

   `parsers/wire/foreign.py` is the specification, and holds the reasons. */

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

static inline int
is_digit(char character)
{
    return character >= '0' && character <= '9';
}

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

static Walk
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

/* ---- Scan: the samples of a metric line -----------------------------------------------

   message = "source=", bare, " addon=", bare, { " sample#", name, "=", number, unit }-,
             { blank } ;

   This is the layout that Heroku writes, a part of what `parsers/families/kafka/samples.py`
   reads; every other message is left to that file. A name and its unit must be in
   the table, so they need no other check. */

enum {
    MAX_SAMPLES = 256,
    MAX_NAME = 100,
    MAX_LABEL = 128,
    MAX_DIGITS = 40,
    MAX_EXACT_DIGITS = 15
};

typedef struct {
    const Entry *entry;
    Span number;
    double value; /* of `number`, if `is_exact` */
    int is_exact;
} Sample;

typedef struct {
    Span source;
    Span addon;
    size_t count;
    Sample samples[MAX_SAMPLES];
} Line;

static const double POWERS_OF_TEN[MAX_EXACT_DIGITS] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};

static inline int
is_blank(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

static inline int
is_letter_or_digit(char character)
{
    return is_digit(character) || (character >= 'a' && character <= 'z')
           || (character >= 'A' && character <= 'Z');
}

/* Move behind `word` if it stands here. */
static inline int
take_word(const char **text, const char *end, const char *word, size_t size)
{
    if ((size_t)(end - *text) < size || memcmp(*text, word, size) != 0) {
        return 0;
    }
    *text += size;
    return 1;
}

/* Read characters that are no blank; any quote or character beyond ASCII is declined. */
static inline int
take_label(const char **text, const char *end, Span *label)
{
    label->text = *text;
    for (; *text < end && !is_blank(**text); ++*text) {
        if (**text == '"' || (unsigned char)**text >= 0x80) {
            return 0;
        }
    }
    label->size = (size_t)(*text - label->text);
    return label->size <= MAX_LABEL;
}

static inline int
is_addon_name(Span name)
{
    if (name.size == 0 || !is_letter_or_digit(name.text[0])) {
        return 0;
    }
    for (size_t i = 1; i < name.size; i++) {
        char c = name.text[i];
        if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-') {
            return 0;
        }
    }
    return 1;
}

/* Read 1 to 40 digits into `digits`, as far as those fit. */
static inline size_t
take_digits(const char **text, const char *end, uint64_t *digits)
{
    const char *start = *text;
    for (; *text < end && is_digit(**text); ++*text) {
        *digits = *digits * 10 + (uint64_t)(**text - '0');
    }
    return (size_t)(*text - start);
}

/* Read "12" or "12.5". Up to 15 digits the value is exact, as both the digits and the
   power of ten are, and the one division rounds correctly. */
static inline int
take_number(const char **text, const char *end, Sample *sample)
{
    uint64_t digits = 0;
    size_t fraction = 0;
    sample->number.text = *text;
    size_t whole = take_digits(text, end, &digits);
    if (whole == 0 || whole > MAX_DIGITS) {
        return 0;
    }
    if (*text < end && **text == '.') {
        ++*text;
        fraction = take_digits(text, end, &digits);
        if (fraction == 0 || fraction > MAX_DIGITS) {
            return 0;
        }
    }
    sample->number.size = (size_t)(*text - sample->number.text);
    sample->is_exact = whole + fraction <= MAX_EXACT_DIGITS;
    sample->value
        = sample->is_exact ? (double)digits / POWERS_OF_TEN[fraction] : 0.0;
    return 1;
}

/* Read "memory-total=16098868kB", behind " sample#". */
static inline int
take_sample(const Table *units, const char **text, const char *end, Sample *sample)
{
    size_t left = (size_t)(end - *text);
    const char *equals = memchr(*text, '=', left < MAX_NAME + 1 ? left : MAX_NAME + 1);
    if (equals == NULL || equals == *text) {
        return 0;
    }
    Span name = {*text, (size_t)(equals - *text)};
    *text = equals + 1;
    if (!take_number(text, end, sample)) {
        return 0;
    }
    Span unit = {*text, 0};
    for (; *text < end && !is_blank(**text); ++*text) {
        unit.size++;
    }
    sample->entry = table_find(units, name, unit);
    return sample->entry != NULL;
}

/* Read a whole message into `line`; 0 where it is left to the pure version. */
static int
scan_line(const Table *units, Span message, Line *line)
{
    const char *text = message.text;
    const char *end = text + message.size;
    line->count = 0;
    if (!take_word(&text, end, "source=", 7) || !take_label(&text, end, &line->source)
        || !take_word(&text, end, " addon=", 7) || !take_label(&text, end, &line->addon)
        || !is_addon_name(line->addon)) {
        return 0;
    }
    while (take_word(&text, end, " sample#", 8)) {
        if (line->count == MAX_SAMPLES
            || !take_sample(units, &text, end, &line->samples[line->count])) {
            return 0;
        }
        line->count++;
    }
    while (text < end && is_blank(*text)) {
        text++;
    }
    return text == end && line->count > 0;
}

#endif
