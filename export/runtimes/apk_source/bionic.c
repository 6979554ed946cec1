/* What Android's C library does otherwise than glibc, as far as TensorFlow Lite's Android library asks for it.
 *
 * bionic_symbol gives for a name of bionic's the function here, else glibc's of the same name. The libraries that
 * bionic_shim.py writes call it for every symbol. Constants are those of bionic's headers. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* bionic's FILE on 64 bits; stdin, stdout and stderr are the three of __sF. */
enum { FILE_BYTES = 152 };
static char *standard_files;

void bionic_set_files(char *files) { standard_files = files; }

static FILE *file_of(void *file) {
    char *at = file;
    if (standard_files == NULL || at < standard_files || at >= standard_files + 3 * FILE_BYTES) return file;
    long index = (at - standard_files) / FILE_BYTES;
    return index == 0 ? stdin : index == 1 ? stdout : stderr;
}

static int bionic_vfprintf(void *file, const char *format, va_list arguments) {
    return vfprintf(file_of(file), format, arguments);
}

static int bionic_fprintf(void *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int written = vfprintf(file_of(file), format, arguments);
    va_end(arguments);
    return written;
}

static size_t bionic_fwrite(const void *data, size_t size, size_t count, void *file) {
    return fwrite(data, size, count, file_of(file));
}

static int bionic_fputc(int character, void *file) { return fputc(character, file_of(file)); }

static int bionic_fflush(void *file) { return fflush(file == NULL ? NULL : file_of(file)); }

static int *bionic_errno(void) { return &errno; }

static size_t bionic_strlen_chk(const char *text, size_t size) {
    size_t length = strlen(text);
    if (length >= size) abort();
    return length;
}

/* Without a version above 19 TensorFlow Lite leaves XNNPACK out (op_resolver_lazy_delegate_proxy.cc). */
static int bionic_property(const char *name, char *value) {
    strcpy(value, strcmp(name, "ro.build.version.sdk") == 0 ? "35" : "");
    return (int)strlen(value);
}

static void bionic_abort_message(const char *message) { fprintf(stderr, "abort: %s\n", message); }

static int bionic_strerror_r(int number, char *text, size_t size) {
    snprintf(text, size, "%s", strerrordesc_np(number));
    return 0;
}

static long bionic_sysconf(int name) {
    switch (name) {
        case 39: case 40: return sysconf(_SC_PAGESIZE);
        case 96: return sysconf(_SC_NPROCESSORS_CONF);
        case 97: return sysconf(_SC_NPROCESSORS_ONLN);
        case 98: return sysconf(_SC_PHYS_PAGES);
        default: errno = EINVAL; return -1;
    }
}

/* Its masks count otherwise; it is asked for all categories. */
static locale_t bionic_newlocale(int mask, const char *name, locale_t base) {
    (void)mask;
    return newlocale(LC_ALL_MASK, name, base);
}

static int log_vprint(int priority, const char *tag, const char *format, va_list arguments) {
    (void)priority;
    int written = fprintf(stderr, "%s: ", tag);
    written += vfprintf(stderr, format, arguments);
    return written + fprintf(stderr, "\n");
}

static const struct { const char *name; void *function; } own[] = {
    {"fprintf", bionic_fprintf},
    {"vfprintf", bionic_vfprintf},
    {"fwrite", bionic_fwrite},
    {"fputc", bionic_fputc},
    {"fflush", bionic_fflush},
    {"__errno", bionic_errno},
    {"__strlen_chk", bionic_strlen_chk},
    {"__system_property_get", bionic_property},
    {"android_set_abort_message", bionic_abort_message},
    {"strerror_r", bionic_strerror_r},
    {"sysconf", bionic_sysconf},
    {"newlocale", bionic_newlocale},
    {"__android_log_vprint", log_vprint},
};

void *bionic_symbol(const char *name) {
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i].name, name) == 0) return own[i].function;
    static const char *const libraries[] = {"libc.so.6", "libm.so.6"};
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        void *library = dlopen(libraries[i], RTLD_NOW);
        void *found = library == NULL ? NULL : dlsym(library, name);
        if (found != NULL) return found;
    }
    fprintf(stderr, "neither bionic.c nor glibc has %s\n", name);
    exit(1);
}
