package fauxlens.litert;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.ToIntFunction;

/**
 * A detector on LiteRT's own C library, by its CPU accelerator (XNNPACK): one view in, scores and heatmap out.
 *
 * <p>Holds native memory until it is closed; not for two threads at once. LiteRT may crash on damaged bytes, so check
 * the detector file's seal first. Whatever LiteRT refuses, and a model that is no detector, is a LiteRtException;
 * a library that is absent or of another version is an UnsatisfiedLinkError.
 */
public final class LiteRt implements AutoCloseable {
    /** LiteRtElementType of litert/c/litert_model_types.h. */
    private static final int UINT8 = 3;

    private static final int FLOAT32 = 1;

    private final LiteRtLibrary library;
    private final Deque<Runnable> releases = new ArrayDeque<>();
    /** Only held so that it stays where it is while LiteRT reads it. */
    private final Memory model;

    private final Pointer compiled;
    private final Buffer image;
    private final Buffer[] outputs;
    private final int scores;

    /** What a view gave: `scores` real and fake, `heatmap` row by row; all 0..1. */
    public record Output(float[] scores, float[] heatmap) {}

    private record Buffer(Pointer pointer, int bytes) {}

    /** Opens the bytes of a detector file on the C library in the file {@code library} (libLiteRt.so). */
    public LiteRt(Path library, byte[] tflite) {
        this.library = Native.load(library.toAbsolutePath().toString(), LiteRtLibrary.class);
        model = new Memory(tflite.length + 64L).align(64);
        model.write(0, tflite, 0, tflite.length);
        try {
            LiteRtLibrary api = this.library;
            Pointer environment = made("environment", p -> api.LiteRtCreateEnvironment(0, null, p));
            releases.push(() -> api.LiteRtDestroyEnvironment(environment));
            long size = tflite.length;
            Pointer loaded = made("model", p -> api.LiteRtCreateModelFromBuffer(environment, model, size, p));
            releases.push(() -> api.LiteRtDestroyModel(loaded));
            Pointer options = made("options", api::LiteRtCreateOptions);
            releases.push(() -> api.LiteRtDestroyOptions(options));
            check("the choice of the CPU", api.LiteRtSetOptionsHardwareAccelerators(options, LiteRtLibrary.CPU));
            compiled = made("program", p -> api.LiteRtCreateCompiledModel(environment, loaded, options, p));
            releases.push(() -> api.LiteRtDestroyCompiledModel(compiled));

            Pointer signature = onlySignature(loaded);
            image = input(environment, signature);
            scores = name(p -> api.LiteRtGetSignatureOutputName(signature, 0, p)).equals("scores") ? 0 : 1;
            outputs = new Buffer[] {output(environment, signature, 0), output(environment, signature, 1)};
            if (outputs[scores].bytes != 2 * Float.BYTES) {
                throw new LiteRtException("The model's scores are not two numbers.");
            }
        } catch (RuntimeException error) {
            close();
            throw error;
        }
    }

    /** How many bytes a view has: height x width x 3. */
    public int viewBytes() {
        return image.bytes;
    }

    /** Runs one view: RGB bytes, row by row. */
    public Output run(byte[] view) {
        if (view.length != image.bytes) {
            throw new LiteRtException("A view has " + image.bytes + " bytes and one of " + view.length + " was given.");
        }
        address(image, LiteRtLibrary.WRITE).write(0, view, 0, view.length);
        unlock(image);
        Pointer[] results = {outputs[0].pointer, outputs[1].pointer};
        check("the run", library.LiteRtRunCompiledModel(compiled, 0, 1, new Pointer[] {image.pointer}, 2, results));
        return new Output(floats(outputs[scores]), floats(outputs[1 - scores]));
    }

    /** Gives all native memory back, last made first. */
    @Override
    public void close() {
        while (!releases.isEmpty()) {
            releases.pop().run();
        }
    }

    private Pointer onlySignature(Pointer loaded) {
        long[] count = new long[1];
        check("the count of signatures", library.LiteRtGetNumModelSignatures(loaded, count));
        Pointer signature = made("signature", p -> library.LiteRtGetModelSignature(loaded, 0, p));
        long[] inputs = new long[1];
        long[] results = new long[1];
        check("the count of inputs", library.LiteRtGetNumSignatureInputs(signature, inputs));
        check("the count of outputs", library.LiteRtGetNumSignatureOutputs(signature, results));
        if (count[0] != 1 || inputs[0] != 1 || results[0] != 2) {
            throw new LiteRtException("The model has not one signature with one input and two outputs.");
        }
        return signature;
    }

    private Buffer input(Pointer environment, Pointer signature) {
        String name = name(p -> library.LiteRtGetSignatureInputName(signature, 0, p));
        Pointer tensor = made("input", p -> library.LiteRtGetSignatureInputTensorByIndex(signature, 0, p));
        Pointer needs =
                made("input's needs", p -> library.LiteRtGetCompiledModelInputBufferRequirements(compiled, 0, 0, p));
        return buffer(environment, name, tensor, needs, name.equals("image") ? UINT8 : -1);
    }

    private Buffer output(Pointer environment, Pointer signature, int index) {
        String name = name(p -> library.LiteRtGetSignatureOutputName(signature, index, p));
        Pointer tensor = made("output", p -> library.LiteRtGetSignatureOutputTensorByIndex(signature, index, p));
        Pointer needs = made(
                "output's needs", p -> library.LiteRtGetCompiledModelOutputBufferRequirements(compiled, 0, index, p));
        boolean known = name.equals(index == scores ? "scores" : "heatmap");
        return buffer(environment, name, tensor, needs, known ? FLOAT32 : -1);
    }

    private Buffer buffer(Pointer environment, String name, Pointer tensor, Pointer needs, int elementType) {
        Memory type = new Memory(LiteRtLibrary.TENSOR_TYPE_BYTES);
        check("the type of " + name, library.LiteRtGetRankedTensorType(tensor, type));
        if (type.getInt(0) != elementType) {
            throw new LiteRtException("A detector has no tensor " + name + " of type " + type.getInt(0) + ".");
        }
        Pointer made = made(
                "buffer", p -> library.LiteRtCreateManagedTensorBufferFromRequirements(environment, type, needs, p));
        releases.push(() -> library.LiteRtDestroyTensorBuffer(made));
        long[] bytes = new long[1];
        check("the size of " + name, library.LiteRtGetTensorBufferPackedSize(made, bytes));
        return new Buffer(made, Math.toIntExact(bytes[0]));
    }

    private float[] floats(Buffer buffer) {
        float[] values = address(buffer, LiteRtLibrary.READ).getFloatArray(0, buffer.bytes / Float.BYTES);
        unlock(buffer);
        return values;
    }

    private Pointer address(Buffer buffer, int mode) {
        return made("lock", p -> library.LiteRtLockTensorBuffer(buffer.pointer, p, mode));
    }

    private void unlock(Buffer buffer) {
        check("an unlock", library.LiteRtUnlockTensorBuffer(buffer.pointer));
    }

    private String name(ToIntFunction<PointerByReference> call) {
        return made("name", call).getString(0, "UTF-8");
    }

    private Pointer made(String what, ToIntFunction<PointerByReference> call) {
        PointerByReference result = new PointerByReference();
        check("a new " + what, call.applyAsInt(result));
        return result.getValue();
    }

    private void check(String what, int status) {
        if (status != 0) {
            // The library does not export the function that names a status.
            throw new LiteRtException("LiteRT refuses " + what + " with status " + status + " of litert_common.h.");
        }
    }
}
