/* The scan: the samples of a metric line.

   message = "source=", bare, " addon=", bare, { " sample#", name, "=", number, unit }-,
             { blank } ;

   This is the layout that Heroku writes, a part of what `parsers/families/kafka/samples.py`
   reads; every other message is left to that file. A name and its unit must be in the
   table, so they need no other check. */
#ifndef HEROKU_KAFKA_AGENT_SCAN_H
#define HEROKU_KAFKA_AGENT_SCAN_H

#include "table.h"

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
static inline int
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
