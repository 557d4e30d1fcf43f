"""What the examples share: photographs that come with scikit-learn, and pictures as PNG files."""

import argparse
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import torch
from sklearn.datasets import load_sample_image
from torch.nn.functional import pad


def photograph(name: str, height: int, width: int) -> torch.Tensor:
    """Return the middle of a shipped photograph, shrunk, 1 x 3 x height x width in 0..1."""
    pixels = torch.from_numpy(load_sample_image(name).copy()).permute(2, 0, 1)[None] / 255
    scale = min(pixels.shape[2] // height, pixels.shape[3] // width)
    top, left = (pixels.shape[2] - scale * height) // 2, (pixels.shape[3] - scale * width) // 2
    middle = pixels[:, :, top : top + scale * height, left : left + scale * width]
    return torch.nn.functional.avg_pool2d(middle, scale)


def grid(images: Sequence[torch.Tensor], columns: int, zoom: int = 1) -> torch.Tensor:
    """Return pictures of one size, C x H x W in 0..1, in rows with gaps between them."""
    framed = [pad(image.detach().expand(3, -1, -1), (1, 1, 1, 1), value=1.0) for image in images]
    rows = [torch.cat(framed[i : i + columns], 2) for i in range(0, len(framed), columns)]
    return torch.cat(rows, 1).repeat_interleave(zoom, 1).repeat_interleave(zoom, 2)


def save(path: Path, image: torch.Tensor) -> None:
    """Write a picture, 3 x H x W in 0..1, as a PNG file."""
    pixels = (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + bytes(line.flatten().tolist()) for line in pixels)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    framed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(framed))


def picture_option() -> Path | None:
    """Return the file that --picture names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--picture", type=Path, help="a PNG file to write the result to")
    return parser.parse_args().picture
