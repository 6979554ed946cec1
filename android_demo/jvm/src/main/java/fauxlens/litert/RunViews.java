package fauxlens.litert;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Runs all views of a file: {@code RunViews LIBRARY MODEL VIEWS SCORES HEATMAPS}.
 *
 * <p>VIEWS holds raw RGB bytes, view after view; SCORES and HEATMAPS become raw little-endian float32 in that order, so
 * that every bit arrives. Exit status 1 with one sentence on standard error where that fails.
 */
public final class RunViews {
    private RunViews() {}

    public static void main(String[] arguments) {
        if (arguments.length != 5) {
            System.err.println("RunViews takes LIBRARY MODEL VIEWS SCORES HEATMAPS.");
            System.exit(2);
        }
        try {
            Path[] paths = new Path[arguments.length];
            for (int i = 0; i < paths.length; i++) {
                paths[i] = Path.of(arguments[i]);
            }
            run(paths[0], paths[1], paths[2], paths[3], paths[4]);
        } catch (IOException | LiteRtException | UnsatisfiedLinkError error) {
            System.err.println(error.getMessage());
            System.exit(1);
        }
    }

    private static void run(Path library, Path model, Path views, Path scores, Path heatmaps) throws IOException {
        try (LiteRt detector = new LiteRt(library, Files.readAllBytes(model));
                DataInputStream input = new DataInputStream(Files.newInputStream(views));
                OutputStream scoresOut = new BufferedOutputStream(Files.newOutputStream(scores));
                OutputStream heatmapsOut = new BufferedOutputStream(Files.newOutputStream(heatmaps))) {
            byte[] view = new byte[detector.viewBytes()];
            long count = Files.size(views) / view.length;
            if (count * view.length != Files.size(views)) {
                throw new EOFException(views + " does not hold whole views of " + view.length + " bytes.");
            }
            for (long i = 0; i < count; i++) {
                input.readFully(view);
                LiteRt.Output output = detector.run(view);
                scoresOut.write(littleEndian(output.scores()));
                heatmapsOut.write(littleEndian(output.heatmap()));
            }
        }
    }

    private static byte[] littleEndian(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }
}
