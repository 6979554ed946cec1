"""Writes the pictures of this folder, each marked as the tool it stands for marks its own.

Run it in a fresh environment:

    pip install pillow pillow-heif c2pa-python cryptography && python tests/golden/marks/make.py

C2PA files are signed by a root that is made on the spot, so a second run gives other bytes; the rows stay.
"""

import datetime
import io
import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import c2pa
import pillow_heif
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image
from PIL.PngImagePlugin import PngInfo

HERE = Path(__file__).parent
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
INFOTEXT = (
    "portrait photo of a fisherman\nNegative prompt: blurry\nSteps: 25, Sampler: DPM++ 2M, Schedule type: Karras, "
    "CFG scale: 6, Seed: 42, Size: 1024x1024, Model hash: 31e35c80fc, Model: sd_xl_base_1.0, Version: {version}"
)
COMFY_PROMPT = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 42, "steps": 20}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "flux\\flux1-dev-fp8.safetensors"}},
}
COMFY_WORKFLOW = {"last_node_id": 9, "last_link_id": 9, "nodes": [{"id": 3, "type": "KSampler"}], "links": []}
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:dcterms="http://purl.org/dc/terms/" '
    'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)


def picture(size: int = 32, tilt: int = 0) -> Image.Image:
    pixels = bytes(
        v for y in range(size) for x in range(size) for v in (x * 7 % 256, (y * 5 + tilt) % 256, (x + y) * 3 % 256)
    )
    return Image.frombytes("RGB", (size, size), pixels)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def xmp(attributes: str = "", elements: str = "") -> bytes:
    return XMP.replace("{attributes}", attributes).replace("{elements}", elements).encode()


def png(**texts: str) -> bytes:
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key.replace("__", "-"), text)
    return saved(picture(), "PNG", pnginfo=info)


def png_with(kind: bytes, content: bytes, lying: int = 0) -> bytes:
    """A PNG with one more chunk after its header; `lying` is added to the length it claims."""
    plain = saved(picture(), "PNG")
    chunk = struct.pack(">I", len(content) + lying) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return plain[:33] + chunk + plain[33:]


def exif(fields: dict[int, object], more: dict[int, object] | None = None) -> bytes:
    block = Image.Exif()
    for tag, value in fields.items():
        block[tag] = value
    for tag, value in (more or {}).items():
        block.get_ifd(0x8769)[tag] = value
    return block.tobytes()


def user_comment(text: str) -> bytes:
    return b"UNICODE\0" + text.encode("utf-16-be")


def jpeg(**options: object) -> bytes:
    return saved(picture(), "JPEG", quality=90, **options)


def jpeg_with_thumbnail(thumbnail: bytes) -> bytes:
    """EXIF written by hand: one field, then the thumbnail's directory, then the thumbnail."""
    camera = b"Canon\0"
    first = struct.pack(">H", 1) + struct.pack(">HHII", 0x010F, 2, len(camera), 8 + 18 + 30) + struct.pack(">I", 8 + 18)
    second = (
        struct.pack(">H", 2)
        + struct.pack(">HHII", 0x0201, 4, 1, 62)
        + struct.pack(">HHII", 0x0202, 4, 1, len(thumbnail))
    )
    tiff = b"MM\0*" + struct.pack(">I", 8) + first + second + struct.pack(">I", 0) + camera + thumbnail
    return jpeg(exif=b"Exif\0\0" + tiff)


def exif_loop() -> bytes:
    """A directory whose EXIF directory and next directory are itself."""
    tiff = b"MM\0*" + struct.pack(">I", 8) + struct.pack(">HHHII", 1, 0x8769, 4, 1, 8) + struct.pack(">I", 8)
    return jpeg(exif=b"Exif\0\0" + tiff)


def iptc(dataset: int, text: str) -> bytes:
    record = struct.pack(">BBBH", 0x1C, 2, dataset, len(text)) + text.encode()
    resource = b"8BIM" + struct.pack(">H", 0x0404) + b"\0\0" + struct.pack(">I", len(record)) + record
    content = b"Photoshop 3.0\0" + resource + b"\0" * (len(record) % 2)
    plain = jpeg()
    return plain[:2] + b"\xff\xed" + struct.pack(">H", len(content) + 2) + content + plain[2:]


def plain_files() -> dict[str, bytes]:
    made_by_ai = f'Iptc4xmpExt:DigitalSourceType="{IPTC}trainedAlgorithmicMedia"'
    return {
        "no-mark.jpg": jpeg(),
        "no-mark.png": saved(picture(), "PNG"),
        "no-mark.avif": saved(picture(), "AVIF", quality=60),
        "a1111.png": png(parameters=INFOTEXT.format(version="v1.9.4")),
        "a1111.jpg": jpeg(exif=exif({}, {0x9286: user_comment(INFOTEXT.format(version="v1.9.4"))})),
        "a1111.webp": saved(
            picture(), "WEBP", exif=exif({}, {0x9286: user_comment(INFOTEXT.format(version="v1.9.4"))})
        ),
        "forge.png": png(parameters=INFOTEXT.format(version="f2.0.1v1.10.1-previous-669-gdfdcbab6")),
        "comfyui.png": png(prompt=json.dumps(COMFY_PROMPT), workflow=json.dumps(COMFY_WORKFLOW)),
        "comfyui.webp": saved(
            picture(),
            "WEBP",
            exif=exif({0x010F: "workflow:" + json.dumps(COMFY_WORKFLOW), 0x0110: "prompt:" + json.dumps(COMFY_PROMPT)}),
        ),
        "invokeai.png": png(
            invokeai_metadata=json.dumps(
                {"generation_mode": "txt2img", "model": {"key": "1", "name": "juggernaut-xl-v9"}}
            )
        ),
        "fooocus.png": png(
            fooocus_scheme="fooocus",
            parameters=json.dumps(
                {"base_model": "juggernautXL_v8Rundiffusion", "performance": "Speed", "version": "Fooocus v2.5.5"}
            ),
        ),
        "swarmui.png": png(
            parameters=json.dumps(
                {"sui_image_params": {"prompt": "a face", "model": "OfficialStableDiffusion/sd_xl_base_1.0"}}
            )
        ),
        "novelai.png": png(
            Title="NovelAI generated image",
            Software="NovelAI",
            Source="NovelAI Diffusion V4.5 4BDE2A90",
            Comment=json.dumps({"steps": 23}),
        ),
        "midjourney.png": png(
            Description="portrait of a fisherman --ar 1:1 --v 6.1 Job ID: 0c9bd0d6-7c4e-4a47-8f0f-3b0d7a4a8a1d",
            Author="someone",
        ),
        "openai.png": png(Software="OpenAI API"),
        "aigc-label.png": png(
            AIGC=json.dumps({"Label": "1", "ContentProducer": "001191330000000000", "ProduceID": "1"})
        ),
        "google-credit.jpg": jpeg(xmp=xmp(f'photoshop:Credit="Made with Google AI" {made_by_ai}')),
        "google-credit-iptc.jpg": iptc(110, "Made with Google AI"),
        "source-type-element.png": png_with(
            b"iTXt",
            b"XML:com.adobe.xmp\0\0\0\0\0"
            + xmp(
                elements=f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{IPTC}compositeWithTrainedAlgorithmicMedia"/>'
            ),
        ),
        "source-type-text.webp": saved(
            picture(),
            "WEBP",
            xmp=xmp(elements=f"<Iptc4xmpExt:DigitalSourceType>{IPTC}digitalCapture</Iptc4xmpExt:DigitalSourceType>"),
        ),
        "source-type.avif": saved(picture(), "AVIF", quality=60, xmp=xmp(made_by_ai)),
        "manifest-elsewhere.jpg": jpeg(xmp=xmp('dcterms:provenance="https://manifests.example.com/urn-uuid-1.c2pa"')),
        "camera.jpg": jpeg(
            exif=exif(
                {0x010F: "Canon", 0x0110: "Canon EOS R6", 0x0131: "Firmware 1.8.1"}, {0x9003: "2026:05:17 10:11:12"}
            )
        ),
        "camera.avif": saved(picture(), "AVIF", quality=60, exif=exif({0x010F: "Google", 0x0110: "Pixel 9"})),
        "edited.jpg": jpeg(exif=exif({0x0131: "Adobe Photoshop 26.3 (Windows)"})),
        "thumbnail-alike.jpg": jpeg_with_thumbnail(saved(picture(), "JPEG", quality=60)),
        "thumbnail-unlike.jpg": jpeg_with_thumbnail(saved(picture(32, 128).rotate(90), "JPEG", quality=60)),
        # What does not hold together.
        "escape-codes.png": png(
            Software="NovelAI\x1b[2J", parameters="Steps: 1, Sampler: x, Model: \u202egnp.\x1b[31m, Version: v1"
        ),
        "lying-length.png": png_with(b"tEXt", b"parameters\0Steps: 25, Sampler: Euler, Model: m", lying=1 << 20),
        "bomb.png": png_with(b"zTXt", b"prompt\0\0" + zlib.compress(b'{"class_type"' + b" " * (50 << 20), 9)),
        "xmp-entities.jpg": jpeg(
            xmp=b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + xmp(made_by_ai)
        ),
        "exif-loop.jpg": exif_loop(),
        "nested-boxes.png": png_with(b"caBX", nested(200)),
        "cut-short.webp": saved(picture(), "WEBP", xmp=xmp(made_by_ai))[:-40],
    }


def nested(depth: int) -> bytes:
    box = b""
    for _ in range(depth):
        box = struct.pack(">I4s", len(box) + 8, b"jumb") + box
    return box


def certificate_chain() -> tuple[bytes, bytes]:
    """A root and a signer under it; returns the chain and the signer's key, both PEM."""

    def name(common: str) -> x509.Name:
        parts = (
            (NameOID.COUNTRY_NAME, "US"),
            (NameOID.ORGANIZATION_NAME, "Fauxlens tests"),
            (NameOID.COMMON_NAME, common),
        )
        return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])

    def usage(sign: bool, certify: bool) -> x509.KeyUsage:
        return x509.KeyUsage(sign, False, False, False, False, certify, certify, False, False)

    def made(
        subject: str, key: ec.EllipticCurvePublicKey, by: ec.EllipticCurvePrivateKey, is_root: bool
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("Test root")).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(datetime.datetime(2026, 1, 1)).not_valid_after(datetime.datetime(2056, 1, 1))
        builder = builder.add_extension(x509.BasicConstraints(is_root, None), True).add_extension(
            usage(True, is_root), True
        )
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), False)
        if not is_root:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        return builder.sign(by, hashes.SHA256())

    root, signer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    certificates = (
        made("Test signer", signer.public_key(), root, False),
        made("Test root", root.public_key(), root, True),
    )
    chain = [one.public_bytes(serialization.Encoding.PEM) for one in certificates]
    key = signer.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (HERE / "test-root.pem").write_bytes(chain[1])
    return b"".join(chain), key


def signed(
    file: bytes,
    mime: str,
    actions: Sequence[object],
    signing: tuple[bytes, bytes],
    parent: tuple[bytes, str] | None = None,
    relationship: str = "parentOf",
) -> bytes:
    definition = {
        "claim_generator_info": [{"name": "Fauxlens test generator", "version": "1.0"}],
        "format": mime,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }
    settings = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
    context = c2pa.Context(c2pa.Settings.from_dict(settings))
    builder = c2pa.Builder(definition, context)
    if parent:
        ingredient = {"title": "ingredient", "relationship": relationship, "instance_id": "one"}
        builder.add_ingredient(ingredient, parent[1], io.BytesIO(parent[0]))
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, signing[0], signing[1], None))
    out = io.BytesIO()
    builder.sign(signer, mime, io.BytesIO(file), out)
    return out.getvalue()


def signed_files() -> dict[str, bytes]:
    signing = certificate_chain()
    pillow_heif.register_heif_opener()
    created = [
        {
            "action": "c2pa.created",
            "digitalSourceType": f"{IPTC}trainedAlgorithmicMedia",
            "softwareAgent": {"name": "a model"},
        }
    ]
    captured = [{"action": "c2pa.created", "digitalSourceType": f"{IPTC}digitalCapture"}]
    opened = [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["one"]}}]
    filled = {"action": "c2pa.edited", "digitalSourceType": f"{IPTC}compositeWithTrainedAlgorithmicMedia"}
    placed = [
        {"action": "c2pa.created", "digitalSourceType": f"{IPTC}digitalCreation"},
        {"action": "c2pa.placed", "parameters": {"ingredientIds": ["one"]}},
    ]
    heif = saved(picture(64), "HEIF", quality=60)
    jpg = signed(jpeg(), "image/jpeg", created, signing)
    photo = signed(jpeg(), "image/jpeg", captured, signing)
    # The scan begins behind the last marker but one; one bit of it is turned.
    scan = jpg.rindex(b"\xff\xda") + 20
    changed = jpg[:scan] + bytes([jpg[scan] ^ 1]) + jpg[scan + 1 :]
    # Another word of the same length in an assertion, so that only its hash tells.
    forged = photo.replace(b"digitalCapture", b"digitalCaptura")
    return {
        "c2pa.jpg": jpg,
        "c2pa.png": signed(saved(picture(), "PNG"), "image/png", created, signing),
        "c2pa.webp": signed(saved(picture(), "WEBP"), "image/webp", created, signing),
        "c2pa.avif": signed(saved(picture(), "AVIF", quality=60), "image/avif", created, signing),
        "c2pa.heic": signed(heif, "image/heic", created, signing),
        "c2pa-camera.jpg": photo,
        "c2pa-edited-with-ai.jpg": signed(jpeg(), "image/jpeg", [*opened, filled], signing, (photo, "image/jpeg")),
        "c2pa-ai-parent.jpg": signed(jpeg(), "image/jpeg", opened, signing, (jpg, "image/jpeg")),
        "c2pa-ai-component.png": signed(
            saved(picture(), "PNG"), "image/png", placed, signing, (jpg, "image/jpeg"), "componentOf"
        ),
        "c2pa-changed.jpg": changed,
        "c2pa-forged.jpg": forged,
    }


if __name__ == "__main__":
    for name, content in (plain_files() | signed_files()).items():
        (HERE / name).write_bytes(content)
