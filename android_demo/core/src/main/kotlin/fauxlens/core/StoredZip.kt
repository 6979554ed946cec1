package fauxlens.core

import java.util.zip.CRC32

// PKWARE APPNOTE 6.3: local file header 4.3.7, central directory 4.3.12, end of central directory 4.3.16.
internal const val END_SIGNATURE = 0x06054b50
internal const val END_BYTES = 22
private const val CENTRAL_SIGNATURE = 0x02014b50
private const val CENTRAL_BYTES = 46
private const val LOCAL_SIGNATURE = 0x04034b50
private const val LOCAL_BYTES = 30
private const val MAX_MEMBERS = 1000
// The newest version "needed to extract" that APPNOTE 6.3 knows.
private const val NEWEST_VERSION = 63
private const val ENCRYPTED = 0x1
private const val PATCHED = 0x20
private const val STRONGLY_ENCRYPTED = 0x40
private const val FILE_TYPE = 0xF000
private const val REGULAR_FILE = 0x8000

private const val LONGEST_SHOWN = 100

/** Parts between slashes of letters, digits, `_`, `-` and `.`, none of which begins with a dot. */
private fun isSafe(member: String): Boolean = member.split('/').all { part ->
    // No expression with a repeated group: Java's matcher goes one call deeper for each repetition.
    part.isNotEmpty() && part[0] != '.' &&
        part.all { it in 'a'..'z' || it in 'A'..'Z' || it in '0'..'9' || it == '_' || it == '-' || it == '.' }
}

private class Entry(val name: String, val header: Int, val crc: Long, val size: Long)

/** Reads the stored members of a zip whose end record stands at `end`; all of it is in `bytes`, nothing unpacks. */
internal fun readStored(bytes: ByteArray, end: Int, name: String): Sealed {
    val directory = end - bytes.uint32(end + 12)
    // What stands before a zip may or may not be counted in its offsets.
    val shift = directory - bytes.uint32(end + 16)
    if (directory < 0 || shift < 0) throw unreadable(name, Refusal.UNPACK_DIRECTORY_OUTSIDE)
    val entries = readDirectory(bytes, directory.toInt(), end, shift, name).sortedBy { it.header }
    val members = LinkedHashMap<String, ByteArray>()
    entries.forEachIndexed { index, entry ->
        val limit = entries.getOrNull(index + 1)?.header ?: directory.toInt()
        members[entry.name] = readMember(bytes, entry, limit, name)
    }
    return Sealed(entries.firstOrNull()?.header ?: end, members)
}

private fun readDirectory(bytes: ByteArray, directory: Int, end: Int, shift: Long, name: String): List<Entry> {
    val entries = ArrayList<Entry>()
    val seen = HashSet<String>()
    var at = directory
    while (at < end) {
        if (entries.size == MAX_MEMBERS) throw Refused(Refusal.TOO_MANY_MEMBERS, name, MAX_MEMBERS)
        if (end - at < CENTRAL_BYTES || !bytes.hasSignature(at, CENTRAL_SIGNATURE)) {
            throw unreadable(name, Refusal.UNPACK_DIRECTORY_BROKEN)
        }
        val lengths = intArrayOf(bytes.int16(at + 28), bytes.int16(at + 30), bytes.int16(at + 32))
        val next = at + CENTRAL_BYTES + lengths.sum()
        if (next > end) throw unreadable(name, Refusal.UNPACK_DIRECTORY_CUT)
        val member = String(bytes, at + CENTRAL_BYTES, lengths[0], Charsets.ISO_8859_1)
        if (!isSafe(member) || !seen.add(member)) {
            throw Refused(Refusal.MEMBER_NAME, name, member.take(LONGEST_SHOWN))
        }
        checkKind(bytes, at, member, name)
        val header = bytes.uint32(at + 42) + shift
        if (header > directory) throw unreadable(name, Refusal.UNPACK_OUTSIDE, member)
        entries += Entry(member, header.toInt(), bytes.uint32(at + 16), bytes.uint32(at + 24))
        at = next
    }
    return entries
}

private fun checkKind(bytes: ByteArray, at: Int, member: String, name: String) {
    val flags = bytes.int16(at + 8)
    val type = bytes.int16(at + 40) and FILE_TYPE
    if (type != 0 && type != REGULAR_FILE) throw Refused(Refusal.MEMBER_LINK, name, member)
    val stored = bytes.int16(at + 10) == 0 && bytes.int32(at + 20) == bytes.int32(at + 24)
    if (!stored || flags and ENCRYPTED != 0) throw Refused(Refusal.MEMBER_COMPRESSED, name, member)
    if (bytes.int16(at + 6) > NEWEST_VERSION || flags and (PATCHED or STRONGLY_ENCRYPTED) != 0) {
        throw unreadable(name, Refusal.UNPACK_NEWER, member)
    }
}

private fun readMember(bytes: ByteArray, entry: Entry, end: Int, name: String): ByteArray {
    val at = entry.header
    if (at + LOCAL_BYTES > end || !bytes.hasSignature(at, LOCAL_SIGNATURE)) {
        throw unreadable(name, Refusal.UNPACK_NO_HEADER, entry.name)
    }
    val nameLength = bytes.int16(at + 26)
    val from = at + LOCAL_BYTES + nameLength + bytes.int16(at + 28)
    if (from + entry.size > end) throw unreadable(name, Refusal.UNPACK_OVERLAP, entry.name)
    if (String(bytes, at + LOCAL_BYTES, nameLength, Charsets.ISO_8859_1) != entry.name) {
        throw unreadable(name, Refusal.UNPACK_OTHER_NAME, entry.name)
    }
    val content = bytes.copyOfRange(from, from + entry.size.toInt())
    if (CRC32().apply { update(content, 0, content.size) }.value != entry.crc) {
        throw unreadable(name, Refusal.UNPACK_CHECKSUM, entry.name)
    }
    return content
}

private fun unreadable(name: String, why: Refusal, vararg arguments: Any): Refused =
    Refused(Refusal.UNPACK, name, Message(why, arguments.toList()))

internal fun ByteArray.hasSignature(at: Int, signature: Int): Boolean = int32(at) == signature

private fun ByteArray.int16(at: Int): Int = (this[at].toInt() and 0xFF) or (this[at + 1].toInt() and 0xFF shl 8)

private fun ByteArray.int32(at: Int): Int = int16(at) or (int16(at + 2) shl 16)

private fun ByteArray.uint32(at: Int): Long = int32(at).toLong() and 0xFFFFFFFFL
