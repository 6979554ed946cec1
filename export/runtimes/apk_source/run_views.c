/* Runs views through a detector by the C interface of TensorFlow Lite's Android library.
 *
 *     run_views LIBRARY THREADS MODEL VIEWS SCORES HEATMAPS [GPU API]
 *
 * VIEWS are raw uint8, SCORES and HEATMAPS raw float32, one after the other. XNNPACK runs what it can, as in the app; with
 * GPU, the library of the GPU delegate, that does, by OpenCL or OpenGL as API says. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *Handle;
/* TfLiteXNNPackDelegateOptions, whose first number is that of threads; larger than it has ever been. */
typedef struct { char bytes[256]; } Options;

/* TfLiteGpuDelegateOptionsV2 as org.tensorflow.lite.gpu.GpuDelegate fills it by itself, with one API and no other. */
typedef struct {
    int precision_loss, preference, priorities[3];
    long flags;
    char others[224];
} GpuOptions;

/* bionic keeps the stack guard in the thread's first slots, where glibc has the first thread-local variables. */
static __thread volatile char slots[256] = {1};

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void *function(Handle library, const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL) fail(dlerror());
    return found;
}

#define NEED(result, name, ...) result (*name)(__VA_ARGS__) = function(library, #name)

static Handle gpu_delegate(const char *path, const char *api) {
    Handle library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) fail(dlerror());
    NEED(GpuOptions, TfLiteGpuDelegateOptionsV2Default, void);
    NEED(Handle, TfLiteGpuDelegateV2Create, const GpuOptions *);
    GpuOptions options = TfLiteGpuDelegateOptionsV2Default();
    options.precision_loss = 1;
    /* Least latency, least memory, most precision. */
    const int priorities[] = {2, 3, 1};
    memcpy(options.priorities, priorities, sizeof priorities);
    /* Whole numbers allowed, and OpenCL alone or OpenGL alone. */
    options.flags = 1 | (strcmp(api, "OpenCL") == 0 ? 2 : 4);
    return TfLiteGpuDelegateV2Create(&options);
}

int main(int count, char **words) {
    if (count != 7 && count != 9) fail("run_views LIBRARY THREADS MODEL VIEWS SCORES HEATMAPS [GPU API]");
    slots[0] = 2;
    int threads = atoi(words[2]);
    Handle library = dlopen(words[1], RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) fail(dlerror());
    NEED(const char *, TfLiteVersion, void);
    NEED(Handle, TfLiteModelCreateFromFile, const char *);
    NEED(Handle, TfLiteInterpreterOptionsCreate, void);
    NEED(void, TfLiteInterpreterOptionsSetNumThreads, Handle, int);
    NEED(void, TfLiteInterpreterOptionsAddDelegate, Handle, Handle);
    NEED(Options, TfLiteXNNPackDelegateOptionsDefault, void);
    NEED(Handle, TfLiteXNNPackDelegateCreate, const Options *);
    NEED(Handle, TfLiteInterpreterCreate, Handle, Handle);
    NEED(Handle, TfLiteInterpreterGetSignatureRunner, Handle, const char *);
    NEED(int, TfLiteSignatureRunnerAllocateTensors, Handle);
    NEED(Handle, TfLiteSignatureRunnerGetInputTensor, Handle, const char *);
    NEED(Handle, TfLiteSignatureRunnerGetOutputTensor, Handle, const char *);
    NEED(int, TfLiteSignatureRunnerInvoke, Handle);
    NEED(int, TfLiteTensorCopyFromBuffer, Handle, const void *, size_t);
    NEED(int, TfLiteTensorCopyToBuffer, Handle, void *, size_t);
    NEED(size_t, TfLiteTensorByteSize, Handle);

    fprintf(stderr, "TensorFlow Lite %s\n", TfLiteVersion());
    Handle model = TfLiteModelCreateFromFile(words[3]);
    if (model == NULL) fail("the detector file is no model");
    Handle options = TfLiteInterpreterOptionsCreate();
    TfLiteInterpreterOptionsSetNumThreads(options, threads);
    Options delegate = TfLiteXNNPackDelegateOptionsDefault();
    memcpy(delegate.bytes, &threads, sizeof threads);
    const Handle runs = count == 9 ? gpu_delegate(words[7], words[8]) : TfLiteXNNPackDelegateCreate(&delegate);
    TfLiteInterpreterOptionsAddDelegate(options, runs);
    Handle interpreter = TfLiteInterpreterCreate(model, options);
    if (interpreter == NULL) fail("the interpreter refuses the detector");
    Handle runner = TfLiteInterpreterGetSignatureRunner(interpreter, "serving_default");
    if (runner == NULL || TfLiteSignatureRunnerAllocateTensors(runner)) fail("the signature cannot be run");

    Handle image = TfLiteSignatureRunnerGetInputTensor(runner, "image");
    if (image == NULL) fail("the signature has no image");
    size_t size = TfLiteTensorByteSize(image);
    unsigned char *view = malloc(size);
    FILE *views = fopen(words[4], "rb");
    if (views == NULL || view == NULL) fail("the views cannot be read");
    static const char *const names[] = {"scores", "heatmap"};
    FILE *results[2];
    for (int i = 0; i < 2; i++)
        if ((results[i] = fopen(words[5 + i], "wb")) == NULL) fail("a result cannot be written");
    while (fread(view, 1, size, views) == size) {
        if (TfLiteTensorCopyFromBuffer(image, view, size)) fail("a view was not taken");
        if (TfLiteSignatureRunnerInvoke(runner)) fail("a view could not be run");
        for (int i = 0; i < 2; i++) {
            const Handle tensor = TfLiteSignatureRunnerGetOutputTensor(runner, names[i]);
            size_t bytes = tensor == NULL ? 0 : TfLiteTensorByteSize(tensor);
            void *values = malloc(bytes + 1);
            if (bytes == 0 || TfLiteTensorCopyToBuffer(tensor, values, bytes)) fail("an output cannot be read");
            if (fwrite(values, 1, bytes, results[i]) != bytes) fail("a result cannot be written");
            free(values);
        }
    }
    for (int i = 0; i < 2; i++)
        if (fclose(results[i])) fail("a result cannot be written");
    /* Its threads and destructors need not be waited for. */
    _Exit(0);
}
