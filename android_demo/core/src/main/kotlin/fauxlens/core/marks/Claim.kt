package fauxlens.core.marks

import java.security.MessageDigest

private const val MAX_ANCESTORS = 16
private const val MAX_ACTIONS = 200
private const val MAX_EXCLUSIONS = 64

// Thumbnails, the bulk of a store, are no CBOR.
private const val MAX_CBOR = 1 shl 20
private const val MAX_TYPE = 200
private val HASHES = mapOf("sha256" to "SHA-256", "sha384" to "SHA-384", "sha512" to "SHA-512")
private const val CHAIN = 33L

/**
 * What the active manifest of a C2PA manifest store claims (C2PA specification 2.2); signatures are not checked.
 *
 * `generator` and `signer` are names fit to be shown, "" where there is none. `sourceTypes` are those of its actions and of
 * its parents, `ingredientTypes` those of what was placed in it. `fits` is whether the hashes of the file and of the
 * assertions hold, null where there is none that can be compared here.
 */
internal class Claim(
    val generator: String,
    val signer: String,
    val sourceTypes: List<String>,
    val ingredientTypes: List<String>,
    val actions: List<String>,
    val fits: Boolean?,
)

/** Reads the last, active manifest of a store of the file with the bytes `file`. Throws ManifestException. */
internal fun readClaim(store: Bytes, file: Bytes): Claim {
    val root = readJumbf(store)
    val active = root.boxes.lastOrNull()
    if (root.label != "c2pa" || active == null) throw ManifestException("no manifest store")
    if (cborBytes(root) > MAX_CBOR) throw ManifestException("too much to read")
    return ClaimReader(root, active, file).read()
}

private fun cborBytes(box: Box): Long =
    box.contents.filter { it.first == "cbor" }.sumOf { it.second.size.toLong() } + box.boxes.sumOf(::cborBytes)

private fun read(box: Box?): Any? = box?.cbor?.let(::readCbor)

private class ClaimReader(private val root: Box, private val active: Box, private val file: Bytes) {
    private val claim = asMap(read(active.child("c2pa.claim.v2") ?: active.child("c2pa.claim")))

    fun read(): Claim {
        val own = LinkedHashSet<String>()
        val placed = LinkedHashSet<String>()
        sourceTypes(own, placed)
        val actions = actionsOf(active).map { action -> shown(textOf(action["action"])) }.distinct()
        return Claim(generator(), shown(signer()), own.toList(), placed.toList(), actions, fits())
    }

    private fun generator(): String {
        val given = claim["claim_generator_info"]
        val name = asMap(if (given is List<*> && given.isNotEmpty()) given[0] else given)["name"]
        if (name is String && name.isNotEmpty()) return shown(name)
        // The older field is like a browser's: "Adobe_Firefly/1.0 c2pa-rs/0.5".
        val older = claim["claim_generator"] as? String ?: return ""
        return shown(older.substringBefore(' ').substringBefore('/').replace('_', ' '))
    }

    private fun signer(): String {
        val parts = asList(read(active.child("c2pa.signature")))
        if (parts.size < 2) return ""
        val signed = (parts[0] as? Bytes)?.takeIf { it.size > 0 }?.let(::readCbor)
        val headers = asMap(parts[1]) + asMap(signed)
        val chain = if (CHAIN in headers) headers[CHAIN] else headers["x5chain"]
        val first = if (chain is List<*> && chain.isNotEmpty()) chain[0] else chain
        return (first as? Bytes)?.let(::subjectOf).orEmpty()
    }

    /** Source types of a manifest and its parents, and of its ingredients; each manifest is visited once. */
    private fun sourceTypes(own: MutableSet<String>, placed: MutableSet<String>) {
        val manifests = root.boxes.associateBy { it.label }
        val waiting = ArrayDeque(listOf(active to own))
        val visited = hashSetOf(active.label)
        while (waiting.isNotEmpty() && visited.size <= MAX_ANCESTORS) {
            val (manifest, into) = waiting.removeFirst()
            into += actionsOf(manifest).mapNotNull { it["digitalSourceType"] as? String }.map { shown(it, MAX_TYPE) }
            for (ingredient in assertions(manifest, "c2pa.ingredient")) {
                val link = given(ingredient["activeManifest"]) ?: ingredient["c2pa_manifest"]
                val label = lastPart(asMap(link)["url"])
                val box = manifests[label]
                if (box != null && visited.add(label)) {
                    waiting += box to (if (ingredient["relationship"] == "parentOf") into else placed)
                }
            }
        }
    }

    private fun fits(): Boolean? {
        // A manifest has one hard binding.
        val binding = assertions(active, "c2pa.hash.data").firstOrNull()
        if (!assertionsFit()) return false
        // The hashes of the assertions alone say nothing of the file.
        return binding?.let(::fileFits)
    }

    /** Whether the assertions are those that the claim lists, by their hashes. */
    private fun assertionsFit(): Boolean {
        val boxes = active.child("c2pa.assertions")?.boxes.orEmpty().associateBy { it.label }
        val lists = listOf("assertions", "created_assertions", "gathered_assertions").flatMap { asList(claim[it]) }
        return lists.map { asMap(it) }.take(MAX_ACTIONS).all { reference ->
            val box = if (reference["url"] is String) boxes[lastPart(reference["url"])] else null
            val digest = reference["hash"] as? Bytes
            val algorithm = algorithmOf(reference)
            box == null || digest == null || algorithm == null || hasHash(listOf(box.hashed), algorithm, digest)
        }
    }

    /** Whether the bytes of the file outside of the exclusions have the hash of a c2pa.hash.data assertion. */
    private fun fileFits(binding: Map<*, *>): Boolean? {
        val digest = binding["hash"] as? Bytes ?: return null
        val algorithm = algorithmOf(binding) ?: return null
        val ranges = asList(binding["exclusions"]).take(MAX_EXCLUSIONS).map { one ->
            val start = asMap(one)["start"] as? Long ?: return null
            val length = asMap(one)["length"] as? Long ?: return null
            if (start < 0 || length < 0) return null
            val size = file.size.toLong()
            minOf(start, size) to minOf(start, size) + minOf(length, size)
        }
        val hashed = ArrayList<Bytes>()
        var at = 0L
        for ((start, end) in ranges.sortedWith(compareBy({ it.first }, { it.second }))) {
            hashed += file.slice(at, maxOf(at, start))
            at = maxOf(at, end)
        }
        hashed += file.slice(at, file.size.toLong())
        return hasHash(hashed, algorithm, digest)
    }

    /** As Java calls it; null for one that is not known. */
    private fun algorithmOf(holder: Map<*, *>): String? =
        HASHES[given(holder["alg"]) ?: given(claim["alg"]) ?: "sha256"]
}

/** The assertions of a label, its versions (.v2) and its instances (__1). */
private fun assertions(manifest: Box, name: String): List<Map<*, *>> =
    manifest.child("c2pa.assertions")?.boxes.orEmpty()
        .filter { it.label.substringBefore("__").substringBefore(".v") == name && it.cbor != null }
        .map { asMap(read(it)) }

private fun actionsOf(manifest: Box): List<Map<*, *>> =
    assertions(manifest, "c2pa.actions").flatMap { asList(it["actions"]) }.map { asMap(it) }.take(MAX_ACTIONS)

/** Null for what says nothing: no value, an empty text or map. */
private fun given(value: Any?): Any? = when (value) {
    "", false, 0L -> null
    is Map<*, *> -> value.takeIf { it.isNotEmpty() }
    is List<*> -> value.takeIf { it.isNotEmpty() }
    else -> value
}

private fun textOf(value: Any?): String = value as? String ?: ""

private fun lastPart(link: Any?): String = (link as? String)?.substringAfterLast('/').orEmpty()

private fun hasHash(parts: List<Bytes>, algorithm: String, digest: Bytes): Boolean {
    val hash = MessageDigest.getInstance(algorithm)
    parts.forEach { hash.update(it.buffer()) }
    return MessageDigest.isEqual(hash.digest(), digest.copy())
}
