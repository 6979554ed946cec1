"""Miniatures of datasets for test_shipped_cards.py: what a layout is, and those of sets of faces and of shards."""

from dataclasses import dataclass, field

from train.data.cards.reader import CardFacts


@dataclass(frozen=True)
class Layout:
    """A dataset in miniature: pictures and what the card must say of each, tables, and what it must not take."""

    pictures: dict[str, CardFacts]
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()


def real(source: str, split: str | None = None, group: str | None = None, **attributes: str) -> CardFacts:
    return CardFacts("real", "camera", "camera", source, split, group, tuple(attributes.items()))


def fake(
    source: str, generator: str, family: str, split: str | None = None, group: str | None = None, **attributes: str
) -> CardFacts:
    return CardFacts("fake", generator, family, source, split, group, tuple(attributes.items()))


def _utkface(sex: int, race: int) -> tuple[str, CardFacts]:
    words = {"age": "26", "sex": ("man", "woman")[sex], "race": ("white", "black", "asian", "indian", "other")[race]}
    return f"UTKFace/26_{sex}_{race}_20170116184024662.jpg.chip.jpg", real("utkface", **words)


_AI_FACE = "AI_Face_imagesV2"
_AI_FACE_HEADER = [
    "Image Path",
    "Predicted Gender",
    "Predicted Age",
    "Skin Tone",
    "Target",
    "Skin Tone Group",
    "Intersection",
]
_COMMUNITY_HEADER = ["file_name", "model_name", "prompt", "real_source", "subset", "split", "label", "architecture"]
_OPENFAKE_HEADER = ["file_name", "prompt", "label", "model", "type", "release_date", "split"]

FACE_SETS = {
    "fairface": Layout(
        {
            "train/1.jpg": real("fairface", "train+val", sex="Male", age="50-59", race="East Asian"),
            "val/1.jpg": real("fairface", "test", sex="Female", age="3-9", race="Indian"),
        },
        {
            "fairface_label_train.csv": [
                ["file", "age", "gender", "race", "service_test"],
                ["train/1.jpg", "50-59", "Male", "East Asian", "True"],
            ],
            "fairface_label_val.csv": [
                ["file", "age", "gender", "race", "service_test"],
                ["val/1.jpg", "3-9", "Female", "Indian", "False"],
            ],
        },
        unnamed=("train/2.jpg",),
    ),
    "utkface": Layout(
        dict(_utkface(sex, race) for sex in (0, 1) for race in range(5)),
        skipped=(
            "utkface_aligned_cropped/UTKFace/26_1_0_20170116184024662.jpg.chip.jpg",
            "crop_part1/26_1_0_20170116184024662.jpg.chip.jpg",
        ),
        unnamed=("UTKFace/61_1_20170109142408075.jpg.chip.jpg",),
    ),
    "ai-face-v2": Layout(
        {
            f"{_AI_FACE}/Real/FFHQ/1.jpg": real("ai-face-FFHQ", "train+val", sex="0", age="2", skin_tone="0"),
            f"{_AI_FACE}/DMs/DCFACe/7856/6.jpg": fake(
                "ai-face-v2", "DCFACe", "unknown", "train+val", sex="1", age="3", skin_tone="1"
            ),
            f"{_AI_FACE}/Real/FFHQ/2.jpg": real("ai-face-FFHQ", "test", sex="1", age="1", skin_tone="2"),
            f"{_AI_FACE}/GANs/StarGAN/3.jpg": fake(
                "ai-face-v2", "StarGAN", "gan", "test", sex="0", age="0", skin_tone="0"
            ),
        },
        {
            "train.csv": [
                _AI_FACE_HEADER,
                [f"{_AI_FACE}/DMs/DCFACe/7856/6.jpg", "1", "3", "6", "1", "1", "4"],
                [f"{_AI_FACE}/Real/FFHQ/1.jpg", "0", "2", "2", "0", "0", "0"],
            ],
            "test.csv": [
                _AI_FACE_HEADER,
                [f"{_AI_FACE}/Real/FFHQ/2.jpg", "1", "1", "9", "0", "2", "5"],
                [f"{_AI_FACE}/GANs/StarGAN/3.jpg", "0", "0", "1", "1", "0", "0"],
            ],
        },
        unnamed=(f"{_AI_FACE}/GANs/StarGAN/9.jpg",),
    ),
    "deepfake-eval-2024": Layout(
        {
            "image-data/a1.jpg": real("deepfake-eval-2024", "train+val"),
            "image-data/a2.jpg": real("deepfake-eval-2024"),
            "image-data/b1.png": fake("deepfake-eval-2024", "in-the-wild-2024", "unknown", "test"),
        },
        {
            "image-metadata-publish.csv": [
                ["Filename", "Ground Truth", "Finetuning Set"],
                ["a1.jpg", "Real", "Train"],
                ["a2.jpg", "Real", ""],
                ["b1.png", "Fake", "Test"],
                ["c1.jpg", "Unknown", "Train"],
                ["#NAME?", "Real", "Train"],
                ["#NAME?", "Fake", "Test"],
            ]
        },
        unnamed=("image-data/c1.jpg", "image-data/-x.jpg"),
    ),
    "openfake": Layout(
        {
            "core/train-00000-of-00002/0000/00000000.jpg": real("openfake", "train", prompt="", release_date=""),
            "core/validation-00000-of-00001/0000/00000000.png": fake(
                "openfake", "flux.2-dev", "diffusion", "val", prompt="a crowd", release_date="2025-11"
            ),
            "reddit/test-00000-of-00005/0000/00000000.jpg": real("openfake-reddit", "test", prompt="", release_date=""),
            "reddit/test-00000-of-00005/0000/00000001.jpg": fake(
                "openfake-reddit", "unknown", "unknown", "test", prompt="", release_date=""
            ),
        },
        {
            "metadata.csv": [
                _OPENFAKE_HEADER,
                ["core/train-00000-of-00002/0000/00000000.jpg", "", "real", "", "", "", "train"],
                [
                    "core/validation-00000-of-00001/0000/00000000.png",
                    "a crowd",
                    "fake",
                    "flux.2-dev",
                    "base",
                    "2025-11",
                    "val",
                ],
                ["reddit/test-00000-of-00005/0000/00000000.jpg", "", "real", "", "", "", "test"],
                ["reddit/test-00000-of-00005/0000/00000001.jpg", "", "fake", "", "", "", "test"],
            ]
        },
        unnamed=("core/train-00000-of-00002/0000/00000001.jpg",),
    ),
    "community-forensics": Layout(
        {
            "data/a-0000/0000/00000000.jpg": real("community-forensics-FFHQ"),
            "data/a-0000/0000/00000001.png": fake(
                "community-forensics",
                "somebody/portraits-v3",
                "diffusion",
                prompt="an owl",
                architecture="LatDiff",
                subset="Systematic",
            ),
            "data/a-0000/0000/00000002.png": fake(
                "community-forensics", "GALIP", "gan", prompt="", architecture="GAN", subset="Manual"
            ),
            "data/a-0000/0000/00000003.png": fake(
                "community-forensics", "ideogram", "unknown", prompt="", architecture="Commercial", subset="Commercial"
            ),
        },
        {
            "metadata.csv": [
                _COMMUNITY_HEADER,
                ["data/a-0000/0000/00000000.jpg", "real", "", "FFHQ", "", "train", "0", "real"],
                [
                    "data/a-0000/0000/00000001.png",
                    "somebody/portraits-v3",
                    "an owl",
                    "",
                    "Systematic",
                    "train",
                    "1",
                    "LatDiff",
                ],
                ["data/a-0000/0000/00000002.png", "GALIP", "", "", "Manual", "train", "1", "GAN"],
                ["data/a-0000/0000/00000003.png", "ideogram", "", "", "Commercial", "train", "1", "Commercial"],
            ]
        },
    ),
    "df40": Layout(
        {
            "simswap/ff/001_002/003.png": fake("df40-ff", "simswap-faceswap", "edit", group="df40-ff:001_002"),
            "DF40/fomm/cdf/frames/id0_id1_0000/000.png": fake(
                "df40-cdf", "fomm-reenactment", "edit", group="df40-cdf:id0_id1_0000"
            ),
            "ddim/ff/000001.jpg": fake("df40-ff", "ddim", "diffusion"),
            "sd2.1/cdf/000001.jpg": fake("df40-cdf", "sd-2.1", "diffusion"),
            "MidJourney/real/0.png": real("df40-MidJourney"),
            "MidJourney/fake/0.png": fake("df40-MidJourney", "midjourney", "diffusion"),
        },
        skipped=("simswap/ff/landmarks/001_002/003.png", "simswap/ff/masks/001_002/003.png"),
        unnamed=("simswap/other/1.png",),
    ),
    "diff": Layout(
        {
            "DiFF_real/val/1.jpg": real("diff", "val"),
            "train/T2I/Midjourney/1.jpg": fake("diff", "t2i-Midjourney", "diffusion", "train"),
            "val/T2I/1.jpg": fake("diff", "t2i", "diffusion", "val"),
            "train/I2I/SDXL/1.jpg": fake("diff", "i2i-SDXL", "diffusion", "train"),
            "test/I2I/1.jpg": fake("diff", "i2i", "diffusion", "test"),
            "DiFF/train/FS/DiffFace/1.jpg": fake("diff", "fs-DiffFace", "edit", "train"),
            "val/FS/1.jpg": fake("diff", "fs", "edit", "val"),
            "train/FE/Imagic/1.jpg": fake("diff", "fe-Imagic", "edit", "train"),
            "test/FE/1.jpg": fake("diff", "fe", "edit", "test"),
        },
        unnamed=("train/1.jpg",),
    ),
    "stylegan3-nvidia": Layout(
        {
            "ffhqu-t/seed0001.png": fake("stylegan3-nvidia", "stylegan3", "gan"),
            "seed0002.png": fake("stylegan3-nvidia", "stylegan3", "gan"),
        },
        skipped=("AFHQv2-t/1.png", "afhqv2-r/1.png", "Metfaces-U-t/1.png", "metfacesu-r/1.png"),
    ),
}
