package fauxlens.core.builtin

import fauxlens.core.Bundle
import java.io.File

/** Times the engine: `EngineBenchmark BUNDLE [THREADS]` prints the fastest and the median run in milliseconds. */
fun main(arguments: Array<String>) {
    val bundle = Bundle.read(File(arguments[0]).readBytes(), arguments[0])
    val threads = arguments.getOrNull(1)?.toInt() ?: 1
    BuiltinEngine(bundle.detector, threads).use { engine ->
        val views = bundle.references.views
        val times = List(3 * views.size) {
            val start = System.nanoTime()
            engine.run(views[it % views.size])
            (System.nanoTime() - start) / 1e6
        }
        println("first %.1f ms".format(times.first()))
        println("fastest %.1f ms, median %.1f ms".format(times.min(), times.sorted()[times.size / 2]))
    }
}
