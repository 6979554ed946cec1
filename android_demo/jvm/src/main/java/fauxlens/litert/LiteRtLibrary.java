package fauxlens.litert;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;

/**
 * The functions of LiteRT's C library, version 2.3, that a detector needs.
 *
 * <p>Signatures follow the headers litert/c/litert_{environment,model,options,compiled_model,tensor_buffer}.h. They return a
 * status, 0 where all is well (litert_common.h); size_t is a long, so this is for 64-bit machines.
 */
interface LiteRtLibrary extends Library {
    int CPU = 1;
    int READ = 0;
    int WRITE = 1;
    /** More than enough for a LiteRtRankedTensorType: an element type and a layout of up to 8 dimensions, 72 bytes. */
    int TENSOR_TYPE_BYTES = 256;

    int LiteRtCreateEnvironment(int optionCount, Pointer options, PointerByReference environment);

    void LiteRtDestroyEnvironment(Pointer environment);

    /** The bytes must stay where they are while the model lives. */
    int LiteRtCreateModelFromBuffer(Pointer environment, Pointer bytes, long size, PointerByReference model);

    void LiteRtDestroyModel(Pointer model);

    int LiteRtGetNumModelSignatures(Pointer model, long[] count);

    int LiteRtGetModelSignature(Pointer model, long index, PointerByReference signature);

    int LiteRtGetNumSignatureInputs(Pointer signature, long[] count);

    int LiteRtGetNumSignatureOutputs(Pointer signature, long[] count);

    int LiteRtGetSignatureInputName(Pointer signature, long index, PointerByReference name);

    int LiteRtGetSignatureOutputName(Pointer signature, long index, PointerByReference name);

    int LiteRtGetSignatureInputTensorByIndex(Pointer signature, long index, PointerByReference tensor);

    int LiteRtGetSignatureOutputTensorByIndex(Pointer signature, long index, PointerByReference tensor);

    /** A LiteRtRankedTensorType begins with its LiteRtElementType, an int. */
    int LiteRtGetRankedTensorType(Pointer tensor, Pointer type);

    int LiteRtCreateOptions(PointerByReference options);

    void LiteRtDestroyOptions(Pointer options);

    int LiteRtSetOptionsHardwareAccelerators(Pointer options, int accelerators);

    int LiteRtCreateCompiledModel(Pointer environment, Pointer model, Pointer options, PointerByReference compiled);

    void LiteRtDestroyCompiledModel(Pointer compiled);

    /** The requirements stay the compiled model's own. */
    int LiteRtGetCompiledModelInputBufferRequirements(
            Pointer compiled, long signature, long index, PointerByReference requirements);

    int LiteRtGetCompiledModelOutputBufferRequirements(
            Pointer compiled, long signature, long index, PointerByReference requirements);

    int LiteRtCreateManagedTensorBufferFromRequirements(
            Pointer environment, Pointer type, Pointer requirements, PointerByReference buffer);

    int LiteRtGetTensorBufferPackedSize(Pointer buffer, long[] size);

    int LiteRtLockTensorBuffer(Pointer buffer, PointerByReference address, int mode);

    int LiteRtUnlockTensorBuffer(Pointer buffer);

    void LiteRtDestroyTensorBuffer(Pointer buffer);

    int LiteRtRunCompiledModel(
            Pointer compiled, long signature, long inputCount, Pointer[] inputs, long outputCount, Pointer[] outputs);
}
