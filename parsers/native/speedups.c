/* The compiled extension `parsers._speedups`: the walk and the scan for Python.
   `_speedups.pyi` says what each method does, and `tests/parsers/test_speedups.py` holds
   them to the pure versions. Limited API: one build serves Python 3.11 and later. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "scan.h"
#include "walk.h"

typedef struct {
    PyObject_HEAD
    Table table;
    Py_ssize_t limit; /* ForeignFrames: the largest frame, in bytes */
} Learned;

/* Py_RETURN_NONE takes no reference in the headers of 3.12 and 3.13, whose None is not
   counted; that of 3.11 is. */
static PyObject *
new_none(void)
{
    return Py_NewRef(Py_None);
}

static int
read_bytes(PyObject *object, Span *span)
{
    char *text;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(object, &text, &size) < 0) {
        return -1;
    }
    *span = (Span){text, (size_t)size};
    return 0;
}

static int
check_count(Py_ssize_t count, Py_ssize_t expected)
{
    if (count == expected) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "expected %zd arguments, got %zd", expected, count);
    return -1;
}

/* Derive the secrets from Python's own, which is drawn for each process. */
static int
seed_table(Table *table)
{
    for (int i = 0; i < 2; i++) {
        PyObject *text = PyBytes_FromStringAndSize(i ? "secret 1" : "secret 0", 8);
        if (text == NULL) {
            return -1;
        }
        table->secrets[i] = (uint64_t)PyObject_Hash(text);
        Py_DECREF(text);
    }
    return 0;
}

static PyObject *
new_learned(PyTypeObject *type, Py_ssize_t limit)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Learned *self = (Learned *)allocate(type, 0);
    if (self != NULL) {
        self->limit = limit;
        if (seed_table(&self->table) < 0) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

static void
clear_learned(Learned *self)
{
    for (size_t place = 0; place < self->table.capacity; place++) {
        Py_XDECREF((PyObject *)self->table.slots[place].value);
    }
    table_clear(&self->table);
}

static void
dealloc_learned(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    clear_learned((Learned *)object);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyObject *
clear(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    clear_learned((Learned *)self);
    return new_none();
}

/* ---- ForeignFrames ------------------------------------------------------------------ */

static PyObject *
new_foreign(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t limit;
    static char *names[] = {"limit_bytes", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "n", names, &limit)) {
        return NULL;
    }
    return new_learned(type, limit < 0 ? 0 : limit);
}

static PyObject *
learn_foreign(PyObject *self, PyObject *origin)
{
    Span span;
    if (read_bytes(origin, &span) < 0) {
        return NULL;
    }
    if (span.size == 0 || span.size > ORIGIN_BYTES || span.text[0] != ' ') {
        PyErr_SetString(PyExc_ValueError, "an origin begins with a blank");
        return NULL;
    }
    Table *table = &((Learned *)self)->table;
    if (table->used >= MAX_ORIGINS) {
        table_clear(table);
    }
    if (table_add(table, span, (Span){NULL, 0}) == NULL) {
        return PyErr_NoMemory();
    }
    return new_none();
}

static PyObject *
skip(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    Span body;
    if (check_count(count, 3) < 0 || read_bytes(args[0], &body) < 0) {
        return NULL;
    }
    Py_ssize_t position = PyLong_AsSsize_t(args[1]);
    Py_ssize_t stop = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    Walk walk = {(size_t)position, 0};
    if (0 <= position && position < stop) {
        Learned *frames = (Learned *)self;
        walk = skip_foreign(&frames->table, body, (size_t)position, (size_t)stop,
                            (size_t)frames->limit);
    }
    PyObject *first = PyLong_FromSsize_t((Py_ssize_t)walk.position);
    PyObject *second = PyLong_FromSize_t(walk.skipped);
    PyObject *both = first && second ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    return both;
}

static PyMethodDef foreign_methods[] = {
    {"learn", learn_foreign, METH_O, NULL},
    {"skip", (PyCFunction)(void (*)(void))skip, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL}};

static PyType_Slot foreign_slots[] = {{Py_tp_new, new_foreign},
                                      {Py_tp_dealloc, dealloc_learned},
                                      {Py_tp_methods, foreign_methods},
                                      {0, NULL}};

static PyType_Spec foreign_spec = {.name = "parsers._speedups.ForeignFrames",
                                   .basicsize = sizeof(Learned),
                                   .flags = Py_TPFLAGS_DEFAULT,
                                   .slots = foreign_slots};

/* ---- SampleScanner ------------------------------------------------------------------ */

static PyObject *
new_scanner(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    return PyArg_ParseTuple(args, "") ? new_learned(type, 0) : NULL;
}

static PyObject *
learn_sample(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    Span name, unit;
    if (check_count(count, 4) < 0 || read_bytes(args[0], &name) < 0
        || read_bytes(args[1], &unit) < 0) {
        return NULL;
    }
    double factor = PyFloat_AsDouble(args[3]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (name.size == 0 || name.size > MAX_NAME) {
        PyErr_SetString(PyExc_ValueError, "a name has 1 to 100 characters");
        return NULL;
    }
    Entry *entry = table_add(&((Learned *)self)->table, name, unit);
    if (entry == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *before = entry->value;
    entry->value = Py_NewRef(args[2]);
    entry->factor = factor;
    Py_XDECREF(before);
    return new_none();
}

/* Convert a number with too many digits for the exact way, as `float` does. */
static double
convert(const Sample *sample)
{
    char text[2 * MAX_DIGITS + 2];
    if (sample->is_exact) {
        return sample->value;
    }
    memcpy(text, sample->number.text, sample->number.size);
    text[sample->number.size] = '\0';
    return PyOS_string_to_double(text, NULL, NULL);
}

static PyObject *
collect_samples(const Line *line)
{
    PyObject *samples = PyDict_New();
    for (size_t i = 0; samples != NULL && i < line->count; i++) {
        const Sample *sample = &line->samples[i];
        double number = convert(sample);
        PyObject *value = number == -1.0 && PyErr_Occurred()
                              ? NULL
                              : PyFloat_FromDouble(number * sample->entry->factor);
        if (value == NULL || PyDict_SetItem(samples, sample->entry->value, value) < 0) {
            Py_CLEAR(samples);
        }
        Py_XDECREF(value);
    }
    return samples;
}

static PyObject *
scan(PyObject *self, PyObject *message)
{
    Span span;
    Line line;
    if (read_bytes(message, &span) < 0) {
        return NULL;
    }
    if (!scan_line(&((Learned *)self)->table, span, &line)) {
        return new_none();
    }
    PyObject *samples = collect_samples(&line);
    if (samples != NULL && (size_t)PyDict_Size(samples) != line.count) {
        Py_DECREF(samples); /* a name occurs twice */
        return new_none();
    }
    PyObject *addon
        = PyUnicode_FromStringAndSize(line.addon.text, (Py_ssize_t)line.addon.size);
    PyObject *source
        = PyUnicode_FromStringAndSize(line.source.text, (Py_ssize_t)line.source.size);
    PyObject *all
        = addon && source && samples ? PyTuple_Pack(3, addon, source, samples) : NULL;
    Py_XDECREF(addon);
    Py_XDECREF(source);
    Py_XDECREF(samples);
    return all;
}

static PyMethodDef scanner_methods[] = {
    {"learn", (PyCFunction)(void (*)(void))learn_sample, METH_FASTCALL, NULL},
    {"clear", clear, METH_NOARGS, NULL},
    {"scan", scan, METH_O, NULL},
    {NULL, NULL, 0, NULL}};

static PyType_Slot scanner_slots[] = {{Py_tp_new, new_scanner},
                                      {Py_tp_dealloc, dealloc_learned},
                                      {Py_tp_methods, scanner_methods},
                                      {0, NULL}};

static PyType_Spec scanner_spec = {.name = "parsers._speedups.SampleScanner",
                                   .basicsize = sizeof(Learned),
                                   .flags = Py_TPFLAGS_DEFAULT,
                                   .slots = scanner_slots};

/* ---- The module --------------------------------------------------------------------- */

static int
fill_module(PyObject *module)
{
    PyType_Spec *specs[] = {&foreign_spec, &scanner_spec};
    for (int i = 0; i < 2; i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, specs[i], NULL);
        if (type == NULL || PyModule_AddType(module, (PyTypeObject *)type) < 0) {
            Py_XDECREF(type);
            return -1;
        }
        Py_DECREF(type);
    }
    return 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                                 .m_name = "_speedups",
                                 .m_size = 0,
                                 .m_slots = module_slots};

PyMODINIT_FUNC
PyInit__speedups(void)
{
    return PyModuleDef_Init(&definition);
}
