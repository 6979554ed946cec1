package fauxlens.core

/**
 * Times views for tests/benchmarks/kotlin_view.py: each line of standard input, `WIDTH HEIGHT ORIENTATION TURN VIEW`,
 * is answered by the fastest of TURN calls of [look] on that many pixels, in nanoseconds.
 */
fun main() {
    val pictures = HashMap<Pair<Int, Int>, ArgbRaster>()
    for (line in generateSequence(::readLine)) {
        val (width, height, orientation, turn) = line.split(" ").take(4).map { it.toInt() }
        val view = View.parse(line.split(" ").last())
        val picture = pictures.getOrPut(width to height) { drawn(width, height) }
        val upright = if (orientation >= 5) height to width else width to height
        val eyes = Eyes(upright.first / 2.0, upright.second * 0.4, minOf(width, height) / 4.0)
        val times = List(turn) {
            val start = System.nanoTime()
            check(look(view, picture, orientation, eyes).size == 3 * view.size * view.size)
            System.nanoTime() - start
        }
        println(times.min())
    }
}

private fun drawn(width: Int, height: Int): ArgbRaster {
    val argb = IntArray(width * height)
    ComputedRaster("noise", 1, width, height).read(0, 0, width, height, argb)
    return ArgbRaster(width, height, argb)
}
