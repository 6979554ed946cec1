package fauxlens.testing;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.util.Iterator;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * What tests of the app ask of a desktop's Java and Android has not: its picture decoders and its count of memory.
 *
 * <p>Here, because Android Studio compiles the app's own tests against Android's classes alone.
 */
public final class DesktopJava {
    private DesktopJava() {}

    /** Stored pixels row by row, 0xAARRGGBB, colours not multiplied by alpha. */
    public record Stored(int width, int height, int[] argb) {}

    /** The pixels of a picture by Java's own decoders; null where there is none for it (WebP, CMYK). */
    public static Stored decode(byte[] bytes) {
        try (ImageInputStream input = ImageIO.createImageInputStream(new ByteArrayInputStream(bytes))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(input);
            if (!readers.hasNext()) return null;
            ImageReader reader = readers.next();
            reader.setInput(input);
            try {
                BufferedImage image = reader.read(0);
                return new Stored(image.getWidth(), image.getHeight(), straight(image));
            } catch (IIOException unreadable) {
                return null;
            } finally {
                reader.dispose();
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Not {@code getRGB} for greyscale: it takes grey for linear light and brightens it. */
    private static int[] straight(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        if (image.getColorModel() instanceof IndexColorModel) {
            return image.getRGB(0, 0, width, height, null, 0, width);
        }
        int bands = image.getRaster().getNumBands();
        int shift = image.getColorModel().getComponentSize(0) - 8;
        int[] samples = image.getRaster().getPixels(0, 0, width, height, (int[]) null);
        int[] argb = new int[width * height];
        for (int pixel = 0; pixel < argb.length; pixel++) {
            int at = pixel * bands;
            int red = samples[at] >> shift;
            int green = bands < 3 ? red : samples[at + 1] >> shift;
            int blue = bands < 3 ? red : samples[at + 2] >> shift;
            int alpha = bands == 2 || bands == 4 ? samples[at + bands - 1] >> shift : 255;
            argb[pixel] = alpha << 24 | red << 16 | green << 8 | blue;
        }
        return argb;
    }

    /** A black grey-scale JPEG of 8 x 8 pixels. */
    public static byte[] smallGreyJpeg() {
        ByteArrayOutputStream coded = new ByteArrayOutputStream();
        try {
            ImageIO.write(new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY), "jpeg", coded);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return coded.toByteArray();
    }

    /** Bytes that this thread has taken from the heap so far. */
    public static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }
}
