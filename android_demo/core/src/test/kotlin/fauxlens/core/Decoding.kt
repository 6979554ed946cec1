package fauxlens.core

import java.awt.image.BufferedImage
import java.io.ByteArrayInputStream
import javax.imageio.ImageIO

/** Decodes a picture file by ImageIO to pixels as stored, alpha laid on white; null where ImageIO cannot read it. */
internal fun decodeByImageIo(file: ByteArray): ArgbRaster? {
    val image = ImageIO.read(ByteArrayInputStream(file)) ?: return null
    val argb = if (image.colorModel.numColorComponents == 1) grey(image) else {
        image.getRGB(0, 0, image.width, image.height, null, 0, image.width)
    }
    layOnWhite(argb)
    return ArgbRaster(image.width, image.height, argb)
}

/** The samples themselves: getRGB would bring Java's linear grey to sRGB. Of 16 bits the high 8 count, as in Pillow. */
private fun grey(image: BufferedImage): IntArray {
    val shift = image.raster.sampleModel.getSampleSize(0) - 8
    return IntArray(image.width * image.height) {
        (image.raster.getSample(it % image.width, it / image.width, 0) shr shift) * 0x010101 or (0xFF shl 24)
    }
}
