/* What Python has learned, by a key of one or two pieces.

   The loops know no family of lines and no sample: what is not in their table is left to
   the pure version. Open addressing, at most half full. The hash is keyed with a secret,
   because part of the keys is chosen by whoever writes to the drain. */
#ifndef HEROKU_KAFKA_AGENT_TABLE_H
#define HEROKU_KAFKA_AGENT_TABLE_H

#include "span.h"

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

static inline int
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
static inline Entry *
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
static inline void
table_clear(Table *table)
{
    for (size_t place = 0; place < table->capacity; place++) {
        free(table->slots[place].key);
    }
    free(table->slots);
    table->slots = NULL;
    table->capacity = table->used = 0;
}

#endif
