package fauxlens.app

import fauxlens.app.picture.onWhite
import fauxlens.core.ArgbRaster
import fauxlens.core.Raster
import java.awt.image.BufferedImage
import java.awt.image.IndexColorModel
import javax.imageio.ImageIO

/** Decodes with Java's own decoders as `train/image/decode.py` defines it; null where Java cannot (WebP, CMYK). */
fun imageIoRaster(bytes: ByteArray): Raster? {
    val reader = ImageIO.getImageReaders(ImageIO.createImageInputStream(bytes.inputStream())).asSequence().firstOrNull()
        ?: return null
    reader.input = ImageIO.createImageInputStream(bytes.inputStream())
    val image = try {
        reader.read(0)
    } catch (_: javax.imageio.IIOException) {
        return null
    } finally {
        reader.dispose()
    }
    return ArgbRaster(image.width, image.height, straight(image))
}

/**
 * Stored samples, alpha laid on white. Not `getRGB` for greyscale: it takes grey for linear light and brightens it.
 */
private fun straight(image: BufferedImage): IntArray {
    if (image.colorModel is IndexColorModel) {
        val argb = image.getRGB(0, 0, image.width, image.height, null, 0, image.width)
        return IntArray(argb.size) { onWhite(argb[it]) }
    }
    val bands = image.raster.numBands
    val shift = image.colorModel.getComponentSize(0) - 8
    val samples = image.raster.getPixels(0, 0, image.width, image.height, null as IntArray?)
    return IntArray(image.width * image.height) { pixel ->
        fun band(index: Int) = samples[pixel * bands + index] shr shift
        val colour = if (bands < 3) listOf(0, 0, 0) else listOf(0, 1, 2)
        val alpha = if (bands == 2 || bands == 4) band(bands - 1) else 255
        onWhite((alpha shl 24) or (band(colour[0]) shl 16) or (band(colour[1]) shl 8) or band(colour[2]))
    }
}
