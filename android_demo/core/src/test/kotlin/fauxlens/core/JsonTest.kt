package fauxlens.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class JsonTest {

    @Test
    fun `the same texts as in Python are JSON, with the same values`() {
        for (case in Golden.cases("json_texts.json")) {
            val text = case["text"].text
            val plain = case["plain"].textOrNull
            if (plain == null) {
                assertThrows(text, NotJson::class.java) { parseJson(text) }
            } else {
                assertEquals(text, values(parseJson(plain)), values(parseJson(text)))
            }
        }
    }

    @Test
    fun `what is written reads back`() {
        val value = mapOf(
            "text" to "é \" \\ \n \u0000 😀 \ud800",
            "numbers" to listOf(0, -1, 1.5, 0.1f, 1e-320, Double.MAX_VALUE, Float.MIN_VALUE, Long.MAX_VALUE),
            "empty" to listOf(emptyList<Any>(), emptyMap<String, Any>(), ""),
            "others" to listOf(true, false, null),
        )
        assertEquals(
            values(
                Json.Object(
                    mapOf(
                        "text" to Json.Text(value.getValue("text") as String),
                        "numbers" to Json.Array(
                            (value.getValue("numbers") as List<*>).map { Json.Number("${(it as Number).toDouble()}") },
                        ),
                        "empty" to Json.Array(listOf(Json.Array(emptyList()), Json.Object(emptyMap()), Json.Text(""))),
                        "others" to Json.Array(listOf(Json.Truth(true), Json.Truth(false), Json.Null)),
                    ),
                ),
            ),
            values(parseJson(jsonText(value))),
        )
    }

    @Test
    fun `no text makes the reader do anything but read or refuse`() {
        val random = java.util.Random(2)
        val pieces = "{ } [ ] , : \" \\ \\u00 1 - . e true null é".split(" ") + " "
        repeat(50_000) {
            val text = (0..random.nextInt(12)).joinToString("") { pieces[random.nextInt(pieces.size)] }
            try {
                parseJson(text)
            } catch (refused: NotJson) {
                assertTrue(refused.message.orEmpty().contains("at character"))
            }
        }
    }
}

/** Plain values, numbers as doubles. */
internal fun values(json: Json): Any? = when (json) {
    is Json.Object -> json.members.mapValues { values(it.value) }
    is Json.Array -> json.items.map(::values)
    is Json.Text -> json.value
    // Python's -0 is 0.
    is Json.Number -> json.text.toDouble() + 0.0
    is Json.Truth -> json.value
    Json.Null -> null
}
