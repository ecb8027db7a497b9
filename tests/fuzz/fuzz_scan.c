/* libFuzzer on the compiled scan: no sanitizer may report, a message that is read must be
   equal to what its parts are put together to, and its numbers to those of strtod.

   input = the message. `tests/parsers/test_speedups.py` reads the corpus in the same way
   and compares with Python. `make fuzz` builds and runs it. */
#include "../../parsers/native/scan.h"

static const char *const LEARNED[][2] = {
    {"load-avg-1m", ""},  {"load-avg-5m", ""},   {"load-avg-15m", ""},
    {"read-iops", ""},    {"memory-total", "kB"}, {"memory-percentage-used", ""},
    {"memory-free", "B"}, {"latency", "ms"},     {"x", ""},
    {"x", "%"},           {"x", "pages"},        {"bytes-in-per-second", ""}};

static Table
make_table(void)
{
    Table table = {.secrets = {0x9E3779B97F4A7C15, 0xD1B54A32D192ED03}};
    for (size_t i = 0; i < sizeof(LEARNED) / sizeof(LEARNED[0]); i++) {
        Span name = {LEARNED[i][0], strlen(LEARNED[i][0])};
        Span unit = {LEARNED[i][1], strlen(LEARNED[i][1])};
        if (table_add(&table, name, unit) == NULL) {
            abort();
        }
    }
    return table;
}

static void
expect(const char **text, const char *end, const char *part, size_t size)
{
    if ((size_t)(end - *text) < size || memcmp(*text, part, size) != 0) {
        abort();
    }
    *text += size;
}

static void
check_sample(const char **text, const char *end, const Sample *sample)
{
    char number[2 * MAX_DIGITS + 2];
    const Entry *entry = sample->entry;
    expect(text, end, " sample#", 8);
    expect(text, end, entry->key, entry->first);
    expect(text, end, "=", 1);
    if (sample->number.size >= sizeof(number)) {
        abort();
    }
    expect(text, end, sample->number.text, sample->number.size);
    memcpy(number, sample->number.text, sample->number.size);
    number[sample->number.size] = '\0';
    char *behind;
    double value = strtod(number, &behind);
    if (*behind || (sample->is_exact && sample->value != value)) {
        abort();
    }
    expect(text, end, entry->key + entry->first, entry->second);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static Table table;
    static Line line;
    if (table.used == 0) {
        table = make_table();
    }
    /* A copy of its own, so that the sanitizer sees a read beyond its end. */
    char *copy = malloc(size + !size);
    memcpy(copy, data, size);
    const char *text = copy, *end = copy + size;
    if (scan_line(&table, (Span){copy, size}, &line)) {
        expect(&text, end, "source=", 7);
        expect(&text, end, line.source.text, line.source.size);
        expect(&text, end, " addon=", 7);
        expect(&text, end, line.addon.text, line.addon.size);
        for (size_t i = 0; i < line.count; i++) {
            check_sample(&text, end, &line.samples[i]);
        }
        for (; text < end; text++) {
            if (!is_blank(*text)) {
                abort();
            }
        }
    }
    free(copy);
    return 0;
}
