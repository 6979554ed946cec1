package fauxlens.app.common

import java.io.File
import java.io.FileOutputStream
import java.io.IOException

/** Writes a file whole or not at all: another name first, then renamed. Throws IOException. */
fun writeAtomically(file: File, bytes: ByteArray) {
    val folder = file.absoluteFile.parentFile
    if (folder == null || !(folder.isDirectory || folder.mkdirs())) throw IOException("no folder for ${file.name}")
    val temporary = File(folder, file.name + ".new")
    var done = false
    try {
        FileOutputStream(temporary).use {
            it.write(bytes)
            it.fd.sync()
        }
        done = temporary.renameTo(file)
    } finally {
        if (!done) temporary.delete()
    }
    if (!done) throw IOException("${file.name} could not be replaced")
}
