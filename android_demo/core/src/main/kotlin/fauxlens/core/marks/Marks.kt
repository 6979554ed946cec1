package fauxlens.core.marks

import fauxlens.core.Message
import fauxlens.core.marks.MarkWording.NO_MARK
import java.net.URI
import java.net.URISyntaxException

/** What a file says about itself: its container ("" if none that can hold marks) and rows in the order to show them. */
class Marks(val container: String, val rows: List<Row>)

private val PLACELESS = setOf("XMP", "IPTC", "C2PA")
private const val MANIFEST_PLACE = "C2PA manifest"

private val COMMENTED = setOf("JPEG", "GIF")

/**
 * Reads the marks in the bytes of a picture file, as train/image/marks does without a check of signatures.
 *
 * `decoder` decodes WebP, whose alpha may hide settings; PNG needs no help.
 * Nothing is executed, resolved or fetched, and time and memory are bounded by the limits in these files. Never throws for
 * what the bytes are. There is always one row at least.
 */
fun readMarks(file: ByteArray, decoder: AlphaDecoder = AlphaDecoder { null }): Marks {
    val data = Bytes(file)
    val parts = readParts(data)
    val fields = Fields(parts, hiddenTexts(file, decoder))
    val rows = manifestRows(parts, data) + sourceTypeRows(fields) + generatorRows(fields.texts) +
        cameraRows(fields) + elsewhereRows(fields)
    val faults = parts.faults.map { fault ->
        Row(Kind.FILE, Strength.NONE, Says.NOTHING, fault, parts.container.ifEmpty { "file" })
    }
    val marked = rows.any { it.says != Says.NOTHING || it.kind == Kind.PROVENANCE }
    val none = Row(Kind.METADATA, Strength.NONE, Says.NOTHING, Message(NO_MARK), "file")
    return Marks(parts.container, rows + faults + (if (marked) emptyList() else listOf(none)))
}

/** Walks through the container that the first bytes name; other files give empty parts. */
private fun readParts(data: Bytes): Parts = when {
    data.startsWith("\u00ff\u00d8") -> Parts("JPEG").also { walkJpeg(data, it) }
    data.startsWith(PNG_SIGNATURE) -> Parts("PNG").also { walkPng(data, it) }
    data.startsWith("RIFF") && data.startsWith("WEBP", 8) -> Parts("WebP").also { walkWebp(data, it) }
    isGif(data) -> Parts("GIF").also { walkGif(data, it) }
    data.startsWith("II*\u0000") || data.startsWith("MM\u0000*") -> Parts("TIFF").also { it.exif = data }
    else -> Parts(bmffContainerOf(data)).also { if (it.container.isNotEmpty()) walkBmff(data, it) }
}

/** The texts of a file, whatever block they stood in. */
private class Fields(parts: Parts, hidden: List<Pair<String, String>>) {
    val exif: Map<String, Bytes> = parts.exif?.let { readExif(it, parts) }.orEmpty()
    val xmp: Map<String, String>
    val texts: List<MarkText>

    init {
        // In TIFF the packets stand among the tags.
        if (parts.xmp == null) parts.xmp = exif["XMP"]?.slice(0, MAX_XMP)
        if (parts.iptc == null) parts.iptc = exif["IPTC"]
        if (parts.manifest == null) exif["C2PA"]?.let(parts::offerManifest)
        val packet = parts.xmp?.let { readXmp(it, parts) }.orEmpty()
        xmp = parts.extendedXmp?.let { readXmp(it, parts) }.orEmpty() + packet
        val container = parts.container
        texts = parts.texts.map { (key, text) ->
            MarkText(key, text, if (container in COMMENTED) "$container comment" else "$container text \"${shown(key)}\"")
        } + exif.filterKeys { it !in PLACELESS }.map { (name, value) -> MarkText(name, fieldText(name, value), "EXIF $name") } +
            xmp.map { (name, text) -> MarkText(name, text, "XMP $name") } +
            parts.iptc?.let(::readIptc).orEmpty().map { (name, text) -> MarkText(name, text, "IPTC $name") } +
            hidden.map { (key, text) -> MarkText(key, text, "alpha channel, ${shown(key)}") }
    }
}

private fun manifestRows(parts: Parts, data: Bytes): List<Row> {
    val store = parts.manifest ?: return emptyList()
    return listOf(
        try {
            manifestRow(readClaim(store, data))
        } catch (_: ManifestException) {
            provenance(Strength.NONE, Says.NOTHING, Message(MarkWording.MANIFEST_DAMAGED))
        },
    )
}

/**
 * Without a check of its signature a manifest is believed as other metadata is: anyone can copy or forge one. A manifest
 * whose hashes do not fit only says that the file was changed.
 */
private fun manifestRow(claim: Claim): Row {
    val (says, words) = madeBy(claim)
    fun part(wording: MarkWording, name: String): Any = if (name.isEmpty()) "" else Message(wording, name)
    fun whole(end: MarkWording) = Message(
        MarkWording.MANIFEST,
        part(MarkWording.MANIFEST_OF, claim.generator),
        part(MarkWording.MANIFEST_SIGNER, claim.signer),
        if (words == null) Message(MarkWording.MANIFEST_SILENT) else Message(MarkWording.MANIFEST_SAYS, words),
        Message(end),
    )
    if (claim.fits == false) return provenance(Strength.WEAK, Says.EDITED, whole(MarkWording.MANIFEST_MISMATCH))
    val strength = if (says == Says.NOTHING) Strength.NONE else Strength.MEDIUM
    return provenance(strength, says, whole(MarkWording.MANIFEST_UNCHECKED))
}

private fun provenance(strength: Strength, says: Says, message: Message): Row =
    Row(Kind.PROVENANCE, strength, says, message, MANIFEST_PLACE)

/** What a manifest says of the making: the most telling of its source types; null where it says nothing. */
private fun madeBy(claim: Claim): Pair<Says, Message?> {
    val tables = Tables.shared
    val best = claim.sourceTypes.map(tables::sourceType).minByOrNull { it.says }
    fun words(wording: MarkWording, type: SourceType) = Message(wording, type.words, type.name)
    if (best != null && (best.says == Says.AI || best.says == Says.EDITED)) return best.says to words(MarkWording.TYPE, best)
    if (claim.ingredientTypes.any { tables.sourceType(it).says == Says.AI }) {
        return Says.EDITED to Message(MarkWording.COMPOSED)
    }
    if (best == null) return Says.NOTHING to null
    if (best.says == Says.CAMERA && claim.actions.any { it in tables.changingActions }) {
        return Says.EDITED to words(MarkWording.TYPE_EDITED, best)
    }
    return best.says to words(MarkWording.TYPE, best)
}

private fun sourceTypeRows(fields: Fields): List<Row> {
    val type = Tables.shared.sourceType(fields.xmp["DigitalSourceType"] ?: return emptyList())
    // Metadata is easily written, and more easily lost: nobody gains by calling a photograph AI-made, many by the contrary.
    val strength = when (type.says) {
        Says.AI, Says.EDITED -> Strength.MEDIUM
        Says.CAMERA -> Strength.WEAK
        Says.NOTHING -> Strength.NONE
    }
    val message = Message(MarkWording.XMP_SAYS, type.words, shown(type.name))
    return listOf(Row(Kind.METADATA, strength, type.says, message, "XMP DigitalSourceType"))
}

private fun cameraRows(fields: Fields): List<Row> {
    fun field(name: String) = fields.exif[name]?.let { shown(asciiText(it)) }.orEmpty()
    // ComfyUI stores JSON under these tags.
    val (make, model) = listOf("Make", "Model").map { name -> field(name).takeIf { ":{" !in it }.orEmpty() }
    val taken = field("DateTimeOriginal")
    val software = field("Software")
    val rows = ArrayList<Row>()
    if (make.isNotEmpty() || model.isNotEmpty()) {
        val name = if (model.startsWith(make)) model else "$make $model".trim()
        val message = if (taken.isEmpty()) Message(MarkWording.CAMERA, name) else Message(MarkWording.CAMERA_DATE, name, taken)
        rows += Row(Kind.METADATA, Strength.WEAK, Says.CAMERA, message, "EXIF Make, Model")
    }
    if (software.isNotEmpty() && generatorRows(listOf(MarkText("Software", software, ""))).isEmpty()) {
        val message = Message(MarkWording.SOFTWARE, software)
        rows += Row(Kind.METADATA, Strength.NONE, Says.NOTHING, message, "EXIF Software")
    }
    return rows
}

private fun elsewhereRows(fields: Fields): List<Row> {
    val address = fields.xmp["provenance"] ?: return emptyList()
    val host = try {
        URI(address).host.orEmpty().lowercase()
    } catch (_: URISyntaxException) {
        ""
    }
    val where: Any = shown(host).ifEmpty { Message(MarkWording.NO_ADDRESS) }
    val message = Message(MarkWording.MANIFEST_ELSEWHERE, where)
    return listOf(Row(Kind.PROVENANCE, Strength.NONE, Says.NOTHING, message, "XMP provenance"))
}
