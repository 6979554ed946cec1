package fauxlens.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class VerdictTest {

    @Test
    fun `labels are Python's at every limit and beside it`() {
        for (case in Golden.cases("verdicts.json")) {
            val (low, high) = case["unsure"].items.map { it.double }
            assertLabels(case) { point, numbers -> decisionOfFormat1(point, numbers.double, low, high) }
        }
        for (case in Golden.cases("decisions.json")) {
            assertLabels(case) { _, numbers ->
                Decision(numbers.members.getValue("fake_from").double, numbers.members.getValue("unsure_from").double)
            }
        }
    }

    private fun assertLabels(case: Json.Object, read: (OperatingPoint, Json) -> Decision) {
        val numbers = case["operating_points"].members
        val points = OperatingPoint.values().associateWith { read(it, numbers.getValue(it.key)) }
        val probability = case["probability"].double
        // Probabilities of detectors are floats.
        assertEquals(probability, probability.toFloat().toDouble(), 0.0)
        for (point in OperatingPoint.values()) {
            val expected = case["labels"].members.getValue(point.key).text
            assertEquals("$case", expected, labelOf(aDescription(points), probability, point).key)
        }
    }

    @Test
    fun `a verdict says what was asked and what was found`() {
        val description = aDescription()
        val output = Output(floatArrayOf(0.3f, 0.7f), floatArrayOf(0f, 0.5f, 1f, 0f, 0f, 0f))
        val verdict = judge(description, output, OperatingPoint.BALANCED)
        assertEquals(
            Verdict(Label.FAKE, 0.7f, OperatingPoint.BALANCED, 0.5, Heatmap(2, 3, output.heatmap.toList())),
            verdict,
        )
        val strict = verdict.at(description, OperatingPoint.FPR_1)
        assertEquals(judge(description, output, OperatingPoint.FPR_1), strict)
        assertEquals(Label.UNSURE to 0.75, strict.label to strict.threshold)
    }

    @Test
    fun `outputs of another shape or without a number are refused`() {
        val good = FloatArray(6)
        val scores = floatArrayOf(0.5f, 0.5f)
        for (output in listOf(
            Output(FloatArray(1), good),
            Output(FloatArray(3), good),
            Output(scores, FloatArray(5)),
            Output(floatArrayOf(0f, Float.NaN), good),
            Output(floatArrayOf(Float.POSITIVE_INFINITY, 0f), good),
            Output(scores, FloatArray(6) { Float.NEGATIVE_INFINITY }),
        )) assertThrows(Refused::class.java) { judge(aDescription(), output, OperatingPoint.BALANCED) }
    }
}

internal fun aDescription(
    points: Map<OperatingPoint, Decision> =
        OperatingPoint.values().zip(listOf(0.5, 0.75, 0.875)).associate { it.first to Decision(it.second, 0.25) },
): Description = Description(
    name = "a detector", variant = "ptq-int8", view = "upright|square|resize(8)", unclearFaces = UnclearFaces.CENTRE,
    frontEnd = "rgb", size = 8, heatmapRows = 2, heatmapColumns = 3, operatingPoints = points,
    calibrationScale = 1.0, calibrationBias = 0.0, seen = emptyList(), trainingSha256 = "0".repeat(64), createdBy = emptyMap(), figures = emptyMap(),
    licences = emptyList(), faceFinder = null,
)
