"""Image nets written again by hand, from their papers, to compare the shipped specs with.

`w` makes a net narrow: width 64 of the paper is 64 * w.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def conv(inputs, outputs, size, stride=1, pad=0, **more):
    return nn.Conv2d(inputs, outputs, size, stride, pad, **more)


def classes_loss(scores, labels, ignore=-100):
    """The mean cross entropy over labels that count."""
    return F.cross_entropy(scores, labels, ignore_index=ignore)


class Toy(nn.Sequential):
    """A chain; of 4 axes become 2 at the first Linear."""

    def forward(self, x):
        for layer in self:
            if isinstance(layer, nn.Linear):
                x = x.flatten(1)
            x = layer(x)
        return x


def tf_mnist():
    return Toy(
        conv(1, 32, 5, pad=2), nn.ReLU(), nn.MaxPool2d(2),
        conv(32, 64, 5, pad=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Linear(7 * 7 * 64, 1024), nn.ReLU(), nn.Linear(1024, 10),
    )  # fmt: skip


def template(n, m, k, width, hidden, classes):
    layers, inputs, size = [], 3, 32
    for stage in range(m):
        for _ in range(n):
            layers += [conv(inputs, width * 2**stage, 3, pad=1), nn.ReLU()]
            inputs = width * 2**stage
        layers.append(nn.MaxPool2d(2))
        size //= 2
    inputs *= size * size
    for _ in range(k):
        layers += [nn.Linear(inputs, hidden), nn.ReLU()]
        inputs = hidden
    return Toy(*layers, nn.Linear(inputs, classes), nn.Softmax(1))


def lenet5():
    return Toy(
        conv(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2),
        conv(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        conv(16, 120, 5), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def convnetjs():
    layers, inputs = [], 3
    for filters in (16, 20, 20):
        layers += [conv(inputs, filters, 5, pad=2), nn.ReLU(), nn.MaxPool2d(2)]
        inputs = filters
    return Toy(*layers, nn.Linear(320, 10))


def within_channel(x, size=3, alpha=5e-5, beta=0.75):
    energy = F.avg_pool2d(x * x, size, 1, size // 2)  # zeros outside count
    return x * (1 + alpha * energy) ** -beta


def across_channels(x, size=5, alpha=1e-4, beta=0.75):
    padded = F.pad(x * x, (0, 0, 0, 0, size // 2, size // 2))
    energy = sum(padded[:, i : i + x.shape[1]] for i in range(size))
    return x * (1 + alpha / size * energy) ** -beta


class Cifar10(nn.Module):
    def __init__(self, quick):
        super().__init__()
        self.conv1, self.conv2 = conv(3, 32, 5, pad=2), conv(32, 32, 5, pad=2)
        self.conv3 = conv(32, 64, 5, pad=2)
        self.fc = nn.Sequential(nn.Linear(1024, 64), nn.Linear(64, 10)) if quick else (
            nn.Linear(1024, 10))  # fmt: skip
        self.normalise = (lambda x: x) if quick else within_channel

    def forward(self, x):
        x = self.normalise(F.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True).relu())
        x = self.normalise(F.avg_pool2d(self.conv2(x).relu(), 3, 2, ceil_mode=True))
        x = F.avg_pool2d(self.conv3(x).relu(), 3, 2, ceil_mode=True)
        return self.fc(x.flatten(1))


class ConvBNReLU(nn.Module):
    def __init__(self, inputs, outputs, size, stride=1, bias=False, eps=1e-3):
        super().__init__()
        self.conv = conv(inputs, outputs, size, stride, size // 2, bias=bias)
        self.bn = nn.BatchNorm2d(outputs, eps=eps)

    def forward(self, x):
        return self.bn(self.conv(x)).relu()


class GoogLeNet(nn.Module):
    """Gives the scores of both auxiliary classifiers and of the last."""

    ROWS = [
        (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128), (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
    ]  # fmt: skip

    def __init__(self, classes):
        super().__init__()
        self.stem = nn.ModuleList([conv(3, 64, 7, 2, 3), conv(64, 64, 1), conv(64, 192, 3, pad=1)])
        self.units, inputs = nn.ModuleList(), 192
        for row, (one, reduce3, three, reduce5, five, pool) in enumerate(self.ROWS):
            self.units.append(nn.ModuleList([
                conv(inputs, one, 1), conv(inputs, reduce3, 1), conv(reduce3, three, 3, pad=1),
                conv(inputs, reduce5, 1), conv(reduce5, five, 5, pad=2), conv(inputs, pool, 1),
            ]))  # fmt: skip
            inputs = one + three + five + pool
            if row in (2, 5):  # 4a and 4d
                self.units.append(nn.ModuleList([
                    conv(inputs, 128, 1), nn.Linear(2048, 1024), nn.Linear(1024, classes),
                ]))  # fmt: skip
        self.fc = nn.Linear(1024, classes)

    def forward(self, x):
        def pool(x):
            return F.max_pool2d(x, 3, 2, ceil_mode=True)

        first, second, third = self.stem
        x = across_channels(pool(first(x).relu()))
        x = pool(across_channels(third(second(x).relu()).relu()))
        scores, row = [], 0
        for unit in self.units:
            if len(unit) == 3:
                squeeze, fc1, fc2 = unit
                y = squeeze(F.avg_pool2d(x, 5, 3, ceil_mode=True)).relu()
                scores.append(fc2(fc1(y.flatten(1)).relu()))
                continue
            if row in (2, 7):
                x = pool(x)
            row += 1
            a, b, c, d, e, f = unit
            branches = [a(x), c(b(x).relu()), e(d(x).relu()), f(F.max_pool2d(x, 3, 1, 1))]
            x = torch.cat(branches, 1).relu()
        return [*scores, self.fc(x.mean((2, 3)))]


class Slim2(nn.Module):
    """TF-slim's Inception v2."""

    ROWS = [
        (64, 64, 64, 64, 96, 32), (64, 64, 96, 64, 96, 64), (0, 128, 160, 64, 96, 0),
        (224, 64, 96, 96, 128, 128), (192, 96, 128, 96, 128, 128), (160, 128, 160, 128, 160, 96),
        (96, 128, 192, 160, 192, 96), (0, 128, 192, 192, 256, 0), (352, 192, 320, 160, 224, 128),
        (352, 192, 320, 192, 224, 128),
    ]  # fmt: skip

    def __init__(self):
        super().__init__()
        self.depthwise = conv(3, 24, 7, 2, 3, groups=3, bias=False)
        self.pointwise = conv(24, 64, 1)
        self.stem = nn.Sequential(ConvBNReLU(64, 64, 1), ConvBNReLU(64, 192, 3))
        self.units, inputs = nn.ModuleList(), 192
        for one, reduce3, three, reduce5, five, pool in self.ROWS:
            stride = 1 if one else 2
            unit = [ConvBNReLU(inputs, one, 1)] if one else []
            unit += [ConvBNReLU(inputs, reduce3, 1), ConvBNReLU(reduce3, three, 3, stride)]
            unit += [ConvBNReLU(inputs, reduce5, 1), ConvBNReLU(reduce5, five, 3)]
            unit += [ConvBNReLU(five, five, 3, stride)]
            unit += [ConvBNReLU(inputs, pool, 1)] if one else []
            self.units.append(nn.ModuleList(unit))
            inputs = three + five + (one + pool if one else inputs)
        self.fc = nn.Linear(1024, 1000)

    def forward(self, x):
        x = self.pointwise(self.depthwise(x)).relu()
        x = self.stem(F.max_pool2d(x, 3, 2, ceil_mode=True))
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        for unit in self.units:
            if len(unit) == 5:
                a, b, c, d, e = unit
                x = [b(a(x)), e(d(c(x))), F.max_pool2d(x, 3, 2, 1, ceil_mode=True)]
            else:
                one, a, b, c, d, e, proj = unit
                x = [one(x), b(a(x)), e(d(c(x))), proj(F.avg_pool2d(x, 3, 1, 1))]
            x = torch.cat(x, 1)
        return self.fc(x.mean((2, 3))).softmax(1)


class UNet(nn.Module):
    def __init__(self, w, classes=2):
        super().__init__()
        self.down, inputs = nn.ModuleList(), 1
        for width in (64, 128, 256, 512, 1024):
            self.down.append(self.pair(inputs, int(width * w)))
            inputs = int(width * w)
        self.up = nn.ModuleList()
        for width in (512, 256, 128, 64):
            width = int(width * w)
            deconv = nn.ConvTranspose2d(2 * width, width, 2, 2)
            self.up.append(nn.ModuleList([deconv, self.pair(2 * width, width)]))
        self.score = conv(width, classes, 1)

    @staticmethod
    def pair(inputs, outputs):
        return nn.Sequential(
            conv(inputs, outputs, 3), nn.ReLU(), conv(outputs, outputs, 3), nn.ReLU()
        )

    def forward(self, x):
        skips = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool2d(x, 2))
            skips.append(x)
        for (deconv, block), skip in zip(self.up, skips[3::-1], strict=True):
            x = deconv(x)
            top, left = ((a - b) // 2 for a, b in zip(skip.shape[2:], x.shape[2:], strict=True))
            middle = skip[:, :, top : top + x.shape[2], left : left + x.shape[3]]
            x = block(torch.cat([middle, x], 1))
        return self.score(x)


class UNet3d(nn.Module):
    def __init__(self, w, classes=3):
        super().__init__()
        self.down, inputs = nn.ModuleList(), 3
        for width in (64, 128, 256, 512):
            width = int(width * w)
            self.down.append(self.pair(inputs, width // 2, width))
            inputs = width
        self.up = nn.ModuleList()
        for width in (256, 128, 64):
            width = int(width * w)
            deconv = nn.ConvTranspose3d(inputs, inputs, 2, 2, bias=False)
            self.up.append(nn.ModuleList([deconv, self.pair(inputs + width, width, width)]))
            inputs = width
        self.score = nn.Conv3d(inputs, classes, 1)

    @staticmethod
    def pair(inputs, middle, outputs):
        def one(a, b):
            return [nn.Conv3d(a, b, 3), nn.BatchNorm3d(b), nn.ReLU()]

        return nn.Sequential(*one(inputs, middle), *one(middle, outputs))

    def forward(self, x):
        skips = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool3d(x, 2))
            skips.append(x)
        for (deconv, block), skip in zip(self.up, skips[2::-1], strict=True):
            x = deconv(x)
            cut = [(a - b) // 2 for a, b in zip(skip.shape[2:], x.shape[2:], strict=True)]
            middle = skip
            for axis, (start, size) in enumerate(zip(cut, x.shape[2:], strict=True), 2):
                middle = middle.narrow(axis, start, size)
            x = block(torch.cat([middle, x], 1))
        return self.score(x)


VGG = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]


class Vgg16Trunk(nn.Module):
    """Gives pool3, pool4 and the maps of conv5_3, before the pool."""

    def __init__(self, w, pad=1):
        super().__init__()
        self.convs, inputs = nn.ModuleList(), 3
        for stage, (width, count) in enumerate(VGG):
            for i in range(count):
                first = pad if stage == i == 0 else 1
                self.convs.append(conv(inputs, int(width * w), 3, pad=first))
                inputs = int(width * w)

    def forward(self, x):
        maps, layers = [], iter(self.convs)
        for stage, (_, count) in enumerate(VGG):
            if stage:
                x = F.max_pool2d(x, 2, ceil_mode=True)
                maps.append(x)
            for _ in range(count):
                x = next(layers)(x).relu()
        return maps[2], maps[3], x


class Fcn(nn.Module):
    """FCN on VGG-16 with stride 32, 16 or 8."""

    def __init__(self, stride, w, classes=21):
        super().__init__()
        self.stride = stride
        self.trunk = Vgg16Trunk(w, pad=100)
        wide = int(4096 * w)
        self.fc6, self.fc7 = conv(int(512 * w), wide, 7), conv(wide, wide, 1)
        self.score_fr = conv(wide, classes, 1)

        def up(size, step):
            return nn.ConvTranspose2d(classes, classes, size, step, bias=False)

        if stride < 32:
            self.up_fr = up(4, 2)
            self.score_pool4 = conv(int(512 * w), classes, 1)
        if stride < 16:
            self.up_pool4 = up(4, 2)
            self.score_pool3 = conv(int(256 * w), classes, 1)
        self.up = up(2 * stride, stride)

    def forward(self, data):
        pool3, pool4, x = self.trunk(data)
        x = F.max_pool2d(x, 2, ceil_mode=True)
        x = self.score_fr(self.fc7(self.fc6(x).relu()).relu())
        if self.stride < 32:
            x = self.up_fr(x)
            x = x + cut(self.score_pool4(pool4), x, 5)
        if self.stride < 16:
            x = self.up_pool4(x)
            x = x + cut(self.score_pool3(pool3), x, 9)
        return cut(self.up(x), data, {32: 19, 16: 27, 8: 31}[self.stride])


def cut(x, like, start):
    return x[:, :, start : start + like.shape[2], start : start + like.shape[3]]


class CaffeNetTrunk(nn.Module):
    """Normalises after the pool; AlexNet before it."""

    def __init__(self, w, pad=0, late=True):
        super().__init__()
        self.late = late
        a, b, c = int(96 * w), int(256 * w), int(384 * w)
        self.conv1, self.conv2 = conv(3, a, 11, 4, pad), conv(a, b, 5, pad=2, groups=2)
        self.conv3, self.conv4 = conv(b, c, 3, pad=1), conv(c, c, 3, pad=1, groups=2)
        self.conv5 = conv(c, b, 3, pad=1, groups=2)

    def forward(self, x):
        def pool(x):
            return F.max_pool2d(x.relu(), 3, 2, ceil_mode=True)

        for layer in self.conv1, self.conv2:
            x = layer(x)
            x = across_channels(pool(x)) if self.late else pool(across_channels(x.relu()))
        return pool(self.conv5(self.conv4(self.conv3(x).relu()).relu()))


class FcnAlexNet(nn.Module):
    def __init__(self, w, classes, digits):
        super().__init__()
        self.trunk = CaffeNetTrunk(w, pad=100)
        self.fc6, self.fc7 = conv(int(256 * w), int(4096 * w), 6), conv(*[int(4096 * w)] * 2, 1)
        self.score_fr = conv(int(4096 * w), classes, 1)
        groups = classes if digits else 1
        self.up = nn.ConvTranspose2d(classes, classes, 63, 32, groups=groups, bias=False)
        self.mean = 116 if digits else 0

    def forward(self, data):
        x = self.fc7(self.fc6(self.trunk(data - self.mean)).relu()).relu()
        return cut(self.up(self.score_fr(x)), data, 18)


class Rcnn(nn.Module):
    def __init__(self, w, classes=200):
        super().__init__()
        self.trunk = CaffeNetTrunk(w)
        wide = int(4096 * w)
        self.fc6, self.fc7 = nn.Linear(36 * int(256 * w), wide), nn.Linear(wide, wide)
        self.svm = nn.Linear(wide, classes)

    def forward(self, x):
        x = self.fc6(self.trunk(x).flatten(1)).relu()
        return self.svm(self.fc7(x).relu())


class AlexNet(nn.Module):
    def __init__(self, w, late, classes=1000):
        super().__init__()
        self.trunk = CaffeNetTrunk(w, late=late)
        wide = int(4096 * w)
        self.fc6, self.fc7 = nn.Linear(36 * int(256 * w), wide), nn.Linear(wide, wide)
        self.fc8 = nn.Linear(wide, classes)

    def forward(self, x):
        x = self.fc6(self.trunk(x).flatten(1)).relu()
        return self.fc8(self.fc7(x).relu())


class DeconvNet(nn.Module):
    def __init__(self, w, classes=21):
        super().__init__()
        self.encoder, inputs = nn.ModuleList(), 3
        for width, count in VGG:
            for _ in range(count):
                self.encoder.append(self.unit(conv(inputs, int(width * w), 3, pad=1)))
                inputs = int(width * w)
        wide = int(4096 * w)
        self.fc6 = self.unit(conv(inputs, wide, 7))
        self.fc7 = self.unit(conv(wide, wide, 1))
        self.fc6_deconv = self.unit(nn.ConvTranspose2d(wide, int(512 * w), 7))
        self.decoder, inputs = nn.ModuleList(), int(512 * w)
        for widths in (512, 512, 512), (512, 512, 256), (256, 256, 128), (128, 64), (64, 64):
            units = []
            for width in widths:
                units.append(self.unit(nn.ConvTranspose2d(inputs, int(width * w), 3, padding=1)))
                inputs = int(width * w)
            self.decoder.append(nn.Sequential(*units))
        self.score = conv(inputs, classes, 1)

    @staticmethod
    def unit(layer):
        return nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU())

    def forward(self, x):
        found, units = [], iter(self.encoder)
        for _, count in VGG:
            for _ in range(count):
                x = next(units)(x)
            x, where = F.max_pool2d(x, 2, return_indices=True)
            found.append(where)
        x = self.fc6_deconv(self.fc7(self.fc6(x)))
        for stage in self.decoder:
            x = stage(F.max_unpool2d(x, found.pop(), 2))
        return self.score(x)


class Colorization(nn.Module):
    """L to the scores of 313 colours, and to a and b."""

    STAGES = [(64, 2, 2, 1), (128, 2, 2, 1), (256, 3, 2, 1), (512, 3, 1, 1), (512, 3, 1, 2),
              (512, 3, 1, 2), (512, 3, 1, 1)]  # fmt: skip

    def __init__(self, w):
        super().__init__()
        self.stages, inputs = nn.ModuleList(), 1
        for width, count, stride, hole in self.STAGES:
            layers = []
            for i in range(count):
                step = stride if i == count - 1 else 1
                layers.append(conv(inputs, int(width * w), 3, step, hole, dilation=hole))
                layers.append(nn.ReLU())
                inputs = int(width * w)
            self.stages.append(nn.Sequential(*layers, nn.BatchNorm2d(inputs, affine=False)))
        self.up = nn.ConvTranspose2d(inputs, int(256 * w), 4, 2, 1)
        self.last = nn.ModuleList(conv(int(256 * w), int(256 * w), 3, pad=1) for _ in range(2))
        self.colours = conv(int(256 * w), 313, 1)
        self.sharpen = nn.ParameterList([torch.full((313,), 2.606)])
        self.mean = conv(313, 2, 1)

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        x = self.up(x).relu()
        for layer in self.last:
            x = layer(x).relu()
        x = self.colours(x)
        return x, self.mean((x * self.sharpen[0][:, None, None]).softmax(1))


def dilated_context(classes=21):
    layers = []
    for hole in (1, 1, 2, 4, 8, 16, 1):
        layers += [conv(classes, classes, 3, pad=hole, dilation=hole), nn.ReLU()]
    return nn.Sequential(*layers, conv(classes, classes, 1))


def roi_pool(x, rois, size=7, scale=1 / 16):
    """The largest element of each of size x size parts of each region."""
    rows = []
    for image, *corners in rois.tolist():
        x1, y1, x2, y2 = (int(corner * scale + 0.5) for corner in corners)
        width, height = max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)
        grid = x.new_zeros(x.shape[1], size, size)
        for i in range(size):
            top = min(y1 + i * height // size, x.shape[2])
            bottom = min(y1 - (-(i + 1) * height // size), x.shape[2])
            for j in range(size):
                left = min(x1 + j * width // size, x.shape[3])
                right = min(x1 - (-(j + 1) * width // size), x.shape[3])
                if bottom > top and right > left:
                    grid[:, i, j] = x[int(image), :, top:bottom, left:right].amax((1, 2))
        rows.append(grid)
    return torch.stack(rows)


def smooth_l1(found, targets, inside, outside, sigma=1.0):
    d = inside * (found - targets)
    near = 0.5 * (sigma * d) ** 2
    far = d.abs() - 0.5 / sigma**2
    return (outside * torch.where(d.abs() < 1 / sigma**2, near, far)).sum() / found.shape[0]


def anchors(height, width, stride=16):
    """y, x, anchor: boxes with 3 ratios and 3 scales around each 16th pixel."""
    boxes = []
    for ratio in (0.5, 1, 2):
        w = round((256 / ratio) ** 0.5)
        h = round(w * ratio)
        for scale in (8, 16, 32):
            half = (w * scale - 1) / 2, (h * scale - 1) / 2
            boxes.append([7.5 - half[0], 7.5 - half[1], 7.5 + half[0], 7.5 + half[1]])
    ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    shift = stride * torch.stack([xs, ys, xs, ys], 2)
    return (shift[:, :, None] + torch.tensor(boxes)).reshape(-1, 4)


def proposals(scores, shifts, info, count=300, overlap=0.7, least=16):
    """Rows [0, x1, y1, x2, y2] for one image; scores of objects, in the order of the anchors."""
    _, _, height, width = scores.shape
    boxes = anchors(height, width)
    scores = scores[0].permute(1, 2, 0).reshape(-1)
    dx, dy, dw, dh = shifts[0].permute(1, 2, 0).reshape(-1, 4).T
    w, h = boxes[:, 2] - boxes[:, 0] + 1, boxes[:, 3] - boxes[:, 1] + 1
    x, y = boxes[:, 0] + w / 2 + dx * w, boxes[:, 1] + h / 2 + dy * h
    w, h = dw.exp() * w, dh.exp() * h
    rows, cols, scale = info[0].tolist()
    boxes = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1)
    boxes[:, 0::2] = boxes[:, 0::2].clamp(0, cols - 1)
    boxes[:, 1::2] = boxes[:, 1::2].clamp(0, rows - 1)
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    kept = (sides >= least * scale).all(1)
    boxes, scores = boxes[kept], scores[kept]
    boxes = boxes[scores.argsort(descending=True)][:6000]
    taken = []
    while len(boxes) and len(taken) < count:
        best, boxes = boxes[0], boxes[1:]
        taken.append(best)
        low, high = torch.maximum(boxes[:, :2], best[:2]), torch.minimum(boxes[:, 2:], best[2:])
        shared = (high - low + 1).clamp(min=0).prod(1)
        areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1), (best[2:] - best[:2] + 1).prod()
        boxes = boxes[shared / (areas[0] + areas[1] - shared) <= overlap]
    found = torch.zeros(count, 5)
    found[: len(taken), 1:] = torch.stack(taken)
    return found


class FastRcnn(nn.Module):
    """Also Faster R-CNN, where the region proposal network is wanted."""

    def __init__(self, w, proposing, classes=21):
        super().__init__()
        self.trunk = Vgg16Trunk(w)
        if proposing:
            self.rpn = conv(int(512 * w), int(512 * w), 3, pad=1)
            self.rpn_scores, self.rpn_shifts = conv(int(512 * w), 18, 1), conv(int(512 * w), 36, 1)
        wide = int(4096 * w)
        self.fc6, self.fc7 = nn.Linear(49 * int(512 * w), wide), nn.Linear(wide, wide)
        self.cls_score, self.bbox_pred = nn.Linear(wide, classes), nn.Linear(wide, 4 * classes)

    def heads(self, x, rois):
        x = roi_pool(x, rois).flatten(1)
        x = self.fc7(self.fc6(x).relu()).relu()
        return self.cls_score(x), self.bbox_pred(x)

    def region_scores(self, x):
        """Background and object of each anchor, and the shifts."""
        x = self.rpn(x).relu()
        scores = self.rpn_scores(x)
        n, _, height, width = scores.shape
        return scores.view(n, 2, 9, height, width), self.rpn_shifts(x)


class Yolo(nn.Module):
    def __init__(self, w, later, outputs):
        super().__init__()
        rows = [(64, 7, 2), "pool", (192, 3, 1), "pool", (128, 1, 1), (256, 3, 1), (256, 1, 1),
                (512, 3, 1), "pool", *[(256, 1, 1), (512, 3, 1)] * 4, (512, 1, 1), (1024, 3, 1),
                "pool", *[(512, 1, 1), (1024, 3, 1)] * 2, (1024, 3, 1), (1024, 3, 2),
                (1024, 3, 1), (1024, 3, 1)]  # fmt: skip
        layers, inputs = [], 3
        for row in rows:
            if row == "pool":
                layers.append(nn.MaxPool2d(2))
                continue
            width = int(row[0] * w)
            layers.append(conv(inputs, width, *row[1:], pad=row[1] // 2, bias=not later))
            layers += [nn.BatchNorm2d(width, eps=1e-6, momentum=0.01)] if later else []
            layers.append(nn.LeakyReLU(0.1))
            inputs = width
        self.convs = nn.Sequential(*layers)
        self.later = later
        if later:
            middle = int(256 * w)
            shapes = (49, middle, 9 * inputs), (middle, 7, 7)
            self.local = nn.ParameterList([torch.empty(shape) for shape in shapes])
            self.fc = nn.Linear(49 * middle, outputs)
        else:
            self.fc25 = nn.Linear(49 * inputs, int(4096 * w))
            self.fc = nn.Linear(int(4096 * w), outputs)

    def forward(self, x):
        x = self.convs(x)
        if self.later:
            places = F.unfold(x, 3, padding=1)  # N, channels and taps, places
            weight, bias = self.local
            x = torch.stack([places[:, :, i] @ weight[i].T for i in range(49)], 2)
            x = x.unflatten(2, (7, 7)) + bias
        else:
            x = self.fc25(x.flatten(1))
        return self.fc(F.leaky_relu(x, 0.1).flatten(1))


def yolo_boxes(x, num, classes=20, side=7):
    """x, y, w, h of the image, confidence, scores, one row a box."""
    cells, rows = side * side, []
    for one in x:
        for cell in range(cells):
            likely = one[cell * classes : (cell + 1) * classes]
            for box in range(num):
                sure = one[cells * classes + cell * num + box]
                start = cells * (classes + num) + (cell * num + box) * 4
                a, b, w, h = one[start : start + 4]
                a, b = (a + cell % side) / side, (b + cell // side) / side
                place = torch.stack([a, b, w**2, h**2])
                rows.append(torch.cat([place, sure[None], sure * likely]))
    return torch.stack(rows).view(len(x), cells * num, 5 + classes)


def yolo_loss(x, truth, num, classes=20, side=7):
    """Equation 3 of the paper, with darknet's confidence target, over the batch."""
    cells, loss = side * side, 0
    for one, real in zip(x, truth.view(len(x), cells, 5 + classes), strict=True):
        for cell in range(cells):
            sure = one[cells * classes + cell * num :][:num]
            if real[cell, 0] == 0:
                loss = loss + 0.5 * (sure**2).sum()
                continue
            likely = one[cell * classes : (cell + 1) * classes]
            loss = loss + ((likely - real[cell, 1 : 1 + classes]) ** 2).sum()
            boxes = one[cells * (classes + num) + cell * num * 4 :][: num * 4].view(num, 4)
            wanted = real[cell, 1 + classes :]
            overlaps = [overlap(box.detach(), wanted, side) for box in boxes]
            best = max(range(num), key=lambda i: (overlaps[i], -distance(boxes[i], wanted, side)))
            roots = torch.cat([wanted[:2], wanted[2:].sqrt()])
            loss = loss + 5 * ((boxes[best] - roots) ** 2).sum()
            target = torch.zeros(num)
            target[best] = overlaps[best]
            weight = torch.full((num,), 0.5)
            weight[best] = 1.0
            loss = loss + (weight * (sure - target) ** 2).sum()
    return loss / len(x)


def overlap(box, wanted, side):
    """Intersection over union; the sides of the box are roots, both places are in cells."""

    def ends(centre, size):
        return centre / side - size / 2, centre / side + size / 2

    shared, areas = 1.0, [1.0, 1.0]
    for axis in (0, 1):
        a, b = ends(box[axis], box[2 + axis] ** 2), ends(wanted[axis], wanted[2 + axis])
        shared *= max(float(min(a[1], b[1]) - max(a[0], b[0])), 0.0)
        areas = [areas[0] * float(a[1] - a[0]), areas[1] * float(b[1] - b[0])]
    return shared / (areas[0] + areas[1] - shared)


def distance(box, wanted, side):
    """How far a box that does not overlap is off, in fractions of the image."""
    place = torch.cat([box[:2] / side, box[2:] ** 2]).detach()
    return float((place - torch.cat([wanted[:2] / side, wanted[2:]])).square().sum())
