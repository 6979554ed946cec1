"""The family of a generator, by its name."""

import re
from functools import lru_cache

# Looked for in the lower-case name with everything but letters and digits removed; the first that is found
# wins. DALL-E mini and the taming transformer draw tokens of a VQGAN one after another, which is no family
# here; so are renderers. LaMa and MAT fill holes in photographs.
_KNOWN = (
    (
        "edit",
        "faceswap|facefusion|deepfake|face2face|faceshifter|simswap|inswapper|insightface|neuraltextures|inpaint|reenact"
        "|photoshop|edit|^lama|^mat$",
    ),
    ("gan", "gan|e4e|psp|^cips"),
    (
        "diffusion",
        "diffusion|^sd[0-9x]|sdxl|ldm|ddpm|ddim|^adm|glide|dalle(?!mini)|midjourney|flux|imagen|firefly|pixart"
        "|kandinsky|deepfloyd|playground|wuerstchen|palette|^dit|^vqdm",
    ),
)


@lru_cache(maxsize=4096)
def family_of(generator: str, label: str) -> str:
    """Return camera, gan, diffusion or edit for a known generator's name, `camera` for any real, else `unknown`."""
    if label == "real":
        return "camera"
    name = re.sub("[^a-z0-9]", "", generator.lower())
    return next((family for family, pattern in _KNOWN if re.search(pattern, name)), "unknown")
