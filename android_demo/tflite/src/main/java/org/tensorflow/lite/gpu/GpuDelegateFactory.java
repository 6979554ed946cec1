package org.tensorflow.lite.gpu;

/**
 * What GpuDelegate of tensorflow-lite-gpu 2.16.1 asks of its options, written from its calls: the package that has this
 * class, tensorflow-lite-gpu-api, cannot be had everywhere. Gradle's build takes LiteRT's own; the app uses what is in both.
 */
public final class GpuDelegateFactory {
    private GpuDelegateFactory() {}

    /** How the GPU works. The numbers are those of delegate_options.h in the same package. */
    public static class Options {
        /** TFLITE_GPU_INFERENCE_PREFERENCE_FAST_SINGLE_ANSWER: ready soon, for few pictures. */
        public static final int INFERENCE_PREFERENCE_FAST_SINGLE_ANSWER = 0;

        /** OpenCL or OpenGL; UNSET tries OpenCL first. */
        public enum GpuBackend {
            UNSET(0),
            OPENCL(1),
            OPENGL(2);

            private final int value;

            GpuBackend(int value) {
                this.value = value;
            }

            public int value() {
                return value;
            }
        }

        /** Half precision where it is faster. */
        public boolean isPrecisionLossAllowed() {
            return true;
        }

        /** int8 models, computed in floating point. */
        public boolean areQuantizedModelsAllowed() {
            return true;
        }

        public int getInferencePreference() {
            return INFERENCE_PREFERENCE_FAST_SINGLE_ANSWER;
        }

        /** A folder to keep compiled programs in; null keeps none. */
        public String getSerializationDir() {
            return null;
        }

        /** The name that a kept program has; null keeps none. */
        public String getModelToken() {
            return null;
        }

        public GpuBackend getForceBackend() {
            return GpuBackend.UNSET;
        }
    }
}
