package fauxlens.app.main

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.RectF
import android.text.StaticLayout
import android.text.TextPaint
import fauxlens.app.model.Judged
import fauxlens.app.widget.PictureView
import kotlin.math.max
import kotlin.math.min

private const val WIDTH = 1080
private const val MARGIN = 40f
private const val TALLEST = 1600f
private const val TYPE = 32f
private const val LINE = 4f
private val INK = Color.rgb(0x1B, 0x1B, 0x1F)

/**
 * A verdict as one picture to hand on: the picture with its heatmap and square, and below it the words of [shareText], with
 * the hashes of file and detector. Black on white whatever the theme is, for it is looked at elsewhere.
 */
fun drawVerdict(judged: Judged, words: String): Bitmap {
    val preview = judged.preview
    val wide = WIDTH - 2 * MARGIN
    val scale = min(wide / preview.width, TALLEST / preview.height)
    val picture = RectF(MARGIN, MARGIN, MARGIN + preview.width * scale, MARGIN + preview.height * scale)
    val type = TextPaint(Paint.ANTI_ALIAS_FLAG).apply {
        color = INK
        textSize = TYPE
    }
    val text = StaticLayout.Builder.obtain(words, 0, words.length, type, wide.toInt()).setLineSpacing(LINE, 1f).build()
    val height = picture.bottom + MARGIN + text.height + MARGIN
    val drawn = Bitmap.createBitmap(WIDTH, max(1, height.toInt()), Bitmap.Config.ARGB_8888)
    val canvas = Canvas(drawn)
    canvas.drawColor(Color.WHITE)
    drawPicture(canvas, judged, picture, scale)
    canvas.translate(MARGIN, picture.bottom + MARGIN)
    text.draw(canvas)
    return drawn
}

private fun drawPicture(canvas: Canvas, judged: Judged, where: RectF, scale: Float) {
    val smooth = Paint(Paint.FILTER_BITMAP_FLAG)
    canvas.save()
    canvas.clipRect(where)
    canvas.drawBitmap(judged.preview, null, where, smooth)
    canvas.translate(where.left, where.top)
    canvas.scale(scale, scale)
    val whole = RectF(0f, 0f, judged.preview.width.toFloat(), judged.preview.height.toFloat())
    val square = judged.square?.let(PictureView::rectangle)
    canvas.drawBitmap(judged.overlay, null, square ?: whole, smooth)
    if (square != null) {
        // White on dark, so that it is seen on any picture.
        for ((colour, width) in listOf(Color.BLACK to 2 * LINE, Color.WHITE to LINE)) {
            val line = Paint(Paint.ANTI_ALIAS_FLAG).apply {
                style = Paint.Style.STROKE
                color = colour
                strokeWidth = width / scale
            }
            canvas.drawRect(square, line)
        }
    }
    canvas.restore()
}
