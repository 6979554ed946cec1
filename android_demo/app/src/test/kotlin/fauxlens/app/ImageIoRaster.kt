package fauxlens.app

import fauxlens.app.picture.onWhite
import fauxlens.core.ArgbRaster
import fauxlens.core.Raster
import fauxlens.testing.DesktopJava

/** Decodes with Java's own decoders as `train/image/decode.py` defines it; null where Java cannot (WebP, CMYK). */
fun imageIoRaster(bytes: ByteArray): Raster? = DesktopJava.decode(bytes)?.let { stored ->
    ArgbRaster(stored.width(), stored.height(), IntArray(stored.argb().size) { onWhite(stored.argb()[it]) })
}
