package fauxlens.core

private const val FORMAT = 2

/** The report as JSON; export/runtimes/self_test.py reads it and says what each key means. */
internal fun selfTestJson(test: SelfTest): String = jsonText(
    linkedMapOf(
        "format" to FORMAT,
        "app" to test.header.app,
        "device" to test.header.device,
        "system" to test.header.system,
        "abi" to test.header.abi,
        "runtime" to test.header.runtime,
        "threads" to test.header.threads,
        "accelerator" to test.header.accelerator,
        "promise" to test.header.guarantee.key,
        "bundle_sha256" to test.bundleSha256,
        "detector_sha256" to test.detectorSha256,
        "variant" to test.variant,
        "view" to test.view,
        "references" to test.items.map(::itemValues),
        "latency_ms" to test.latencyMs,
        "passed" to test.passed,
    ),
) + "\n"

/** The report of a self-test that could not start: one sentence. */
fun failedSelfTestJson(sentence: String): String = jsonText(linkedMapOf("format" to FORMAT, "error" to sentence)) + "\n"

private fun itemValues(item: Item): Map<String, Any?> = linkedMapOf(
    "name" to item.name,
    "decoded_sha256" to item.decodedSha256,
    "view_sha256" to item.viewSha256,
    "scores" to item.scoreBits.map(::hexadecimal),
    "heatmap" to item.heatmapBits.map(::hexadecimal),
    "expected" to item.expected,
    "got" to item.got,
    "verdict_expected" to item.verdictExpected.key,
    "verdict_got" to item.verdictGot?.key.orEmpty(),
    "passed" to item.passed,
    "error" to item.errors.joinToString(" ") { it.english }.ifEmpty { null },
)
