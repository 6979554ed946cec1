"""The family of a generator, by its name."""

import re

# Looked for in the lower-case name with everything but letters and digits removed; the first that is found
# wins.
_KNOWN = (
    ("edit", "faceswap|facefusion|deepfake|face2face|faceshifter|simswap|neuraltextures|inpaint|photoshop|edit"),
    ("gan", "gan|e4e|psp"),
    (
        "diffusion",
        "diffusion|^sd[0-9x]|sdxl|ldm|ddpm|ddim|^adm|glide|dalle|midjourney|flux|imagen|firefly|pixart"
        "|kandinsky|deepfloyd|playground|wuerstchen|^dit|^vqdm",
    ),
)


def family_of(generator: str, label: str) -> str:
    """Return camera, gan, diffusion or edit for a known generator's name, `camera` for any real, else `unknown`."""
    if label == "real":
        return "camera"
    name = re.sub("[^a-z0-9]", "", generator.lower())
    return next((family for family, pattern in _KNOWN if re.search(pattern, name)), "unknown")
