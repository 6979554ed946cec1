package fauxlens.app

import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Test

/** The words: each is used, and none stands anywhere but in the resources. */
class StringsTest {
    private val main = Golden.file("android_demo/app/src/main")
    private val sources = main.walk().filter { it.extension in listOf("kt", "xml") }.associateWith { it.readText() }

    @Test
    fun `every string is used`() {
        val declared = Regex("<(?:string|plurals|string-array) name=\"(\\w+)\"")
        val names = valuesFiles().flatMap { declared.findAll(it.readText()).map { found -> found.groupValues[1] } }
        val unused = names.filter { name ->
            val use = Regex("(R\\.(string|plurals|array)\\.$name|@(string|plurals|array)/$name)\\b")
            sources.values.none(use::containsMatchIn)
        }
        assertEquals(emptyList<String>(), unused.distinct())
    }

    @Test
    fun `no layout or menu holds words of its own`() {
        val words = Regex("android:(text|hint|title|label|contentDescription)=\"(?!@|\\?)([^\"]+)\"")
        val found = sources.filterKeys { it.extension == "xml" }.flatMap { (file, text) ->
            words.findAll(text).map { "${file.name}: ${it.groupValues[2]}" }
        }
        assertEquals(emptyList<String>(), found)
    }

    @Test
    fun `every drawable and layout is used`() {
        val folders = main.resolve("res").listFiles().orEmpty()
        val files = folders.flatMap { it.listFiles().orEmpty().asList() }
        val names = files.map { it.parentFile.name.substringBefore('-') to it.nameWithoutExtension }
            .filter { (kind, _) -> kind in listOf("drawable", "layout", "menu", "color") }
        val unused = names.distinct().filter { (kind, name) ->
            val use = Regex("(R\\.$kind\\.$name|@$kind/$name)\\b")
            sources.values.none(use::containsMatchIn)
        }
        assertEquals(emptyList<Pair<String, String>>(), unused)
    }

    private fun valuesFiles(): List<File> = sources.keys.filter { it.parentFile.name == "values" }
}
