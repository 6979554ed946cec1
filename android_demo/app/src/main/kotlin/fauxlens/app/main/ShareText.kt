package fauxlens.app.main

import android.content.ClipData
import android.content.Intent
import android.content.res.Resources
import fauxlens.app.R
import fauxlens.app.common.percent
import fauxlens.app.common.probability
import fauxlens.app.common.sentenceOf
import fauxlens.app.model.DetectorFacts
import fauxlens.app.model.Judged
import fauxlens.app.store.FilesProvider
import fauxlens.app.ui.look
import fauxlens.app.ui.title
import fauxlens.core.marks.Says

/** A verdict as text to hand on: what was found, how strictly, by which detector, in which file. */
fun shareText(resources: Resources, judged: Judged, facts: DetectorFacts?): String = with(resources) {
    val verdict = judged.verdict
    val details = judged.details
    listOfNotNull(
        evidenceSummary(this, judged),
        getString(R.string.share_verdict, getString(verdict.label.look.words), probability(verdict.probability)),
        if (judged.faces.size > 1) {
            getString(R.string.share_face, judged.face.number, judged.faces.size)
        } else {
            null
        },
        getString(R.string.share_setting, getString(verdict.point.title), percent(verdict.threshold)),
        getString(R.string.share_detector, details.detector, details.variant, facts?.sha256.orEmpty()),
        getString(R.string.share_picture, details.format, details.width, details.height, details.sha256),
        judged.marks.filter { it.says != Says.NOTHING }.takeIf { it.isNotEmpty() }?.let { marks ->
            getString(R.string.share_evidence, marks.joinToString(" ") { sentenceOf(it.message).text(this) })
        },
        judged.notes.takeIf { it.isNotEmpty() }?.joinToString(" ") { it.text(this) },
        getString(R.string.verdict_hint),
    ).joinToString("\n")
}

/** Lets the person choose an app that takes the text. */
fun shareIntent(resources: Resources, text: String): Intent {
    val send = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text)
    return Intent.createChooser(send, resources.getString(R.string.share_button))
}

/** Lets the person choose an app that takes the drawn verdict, with its words beside it. */
fun sharePictureIntent(resources: Resources, text: String): Intent {
    val send = Intent(Intent.ACTION_SEND).setType("image/png").putExtra(Intent.EXTRA_TEXT, text)
        .putExtra(Intent.EXTRA_STREAM, FilesProvider.verdictUri).addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
    // Android reads the permission from here.
    send.clipData = ClipData.newRawUri("", FilesProvider.verdictUri)
    return Intent.createChooser(send, resources.getString(R.string.share_picture_button))
}
