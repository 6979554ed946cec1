/* libOpenCL.so as the GPU delegate looks for it, before Debian's libOpenCL.so.1.
 *
 * pocl's device is this machine's processor: the delegate asks for a GPU, and takes an AMD or Intel processor for a GPU of
 * that maker. Here it is found, and has a maker that the delegate does not know. Numbers are those of CL/cl.h. */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

enum { DEVICE_NAME = 0x102B, DEVICE_VENDOR = 0x102C };

static void *real(const char *name) { return dlsym(dlopen("libOpenCL.so.1", RTLD_NOW), name); }

int clGetDeviceIDs(void *platform, unsigned long kind, unsigned most, void **devices, unsigned *count) {
    (void)kind;
    int (*find)(void *, unsigned long, unsigned, void **, unsigned *) = real("clGetDeviceIDs");
    return find(platform, 0xFFFFFFFF, most, devices, count);
}

int clGetDeviceInfo(void *device, unsigned what, size_t size, void *value, size_t *written) {
    int (*ask)(void *, unsigned, size_t, void *, size_t *) = real("clGetDeviceInfo");
    if (what != DEVICE_NAME && what != DEVICE_VENDOR) return ask(device, what, size, value, written);
    if (written != NULL) *written = sizeof "pocl";
    if (value != NULL) memcpy(value, "pocl", sizeof "pocl");
    return 0;
}
