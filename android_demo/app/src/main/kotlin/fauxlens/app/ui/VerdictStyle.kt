package fauxlens.app.ui

import fauxlens.app.R
import fauxlens.app.model.Accelerator
import fauxlens.app.model.Stage
import fauxlens.core.Guarantee
import fauxlens.core.Label
import fauxlens.core.OperatingPoint

/** A verdict's words, icon and colours: never the colour alone. */
data class Look(val words: Int, val icon: Int, val colour: Int, val ground: Int)

/** What a verdict looks like. */
val Label.look: Look
    get() = when (this) {
        Label.REAL -> Look(R.string.verdict_real, R.drawable.verdict_real, R.color.real, R.drawable.ground_real)
        Label.UNSURE ->
            Look(R.string.verdict_unsure, R.drawable.verdict_unsure, R.color.unsure, R.drawable.ground_unsure)
        Label.FAKE -> Look(R.string.verdict_fake, R.drawable.verdict_fake, R.color.fake, R.drawable.ground_fake)
    }

/** The name of an operating point. */
val OperatingPoint.title: Int
    get() = when (this) {
        OperatingPoint.BALANCED -> R.string.point_balanced
        OperatingPoint.FPR_1 -> R.string.point_fpr_1
        OperatingPoint.FPR_05 -> R.string.point_fpr_05
    }

/** What an operating point was set for; %1$s is its threshold. */
val OperatingPoint.meaning: Int
    get() = when (this) {
        OperatingPoint.BALANCED -> R.string.point_balanced_meaning
        OperatingPoint.FPR_1 -> R.string.point_fpr_1_meaning
        OperatingPoint.FPR_05 -> R.string.point_fpr_05_meaning
    }

/** What is being done, in words. */
val Stage.words: Int
    get() = when (this) {
        Stage.READING -> R.string.stage_reading
        Stage.FINDING_FACE -> R.string.stage_finding_face
        Stage.JUDGING -> R.string.stage_judging
    }

/** What the self-test compares, in words. */
val Guarantee.words: Int
    get() = when (this) {
        Guarantee.LAST_BIT -> R.string.guarantee_last_bit
        Guarantee.DECISIONS -> R.string.guarantee_decisions
    }

/** What a processor is called. */
val Accelerator.title: Int get() = if (this == Accelerator.CPU) R.string.cpu else R.string.gpu
