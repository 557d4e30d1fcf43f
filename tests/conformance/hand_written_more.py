"""Generative, style, sequence and volume nets written again by hand, from their papers and code.

Every width is an argument, so that the shipped specs can be compared at small ones.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import nn


class Chain(nn.Sequential):
    """A chain; all axes but the first become one at the first Linear."""

    def forward(self, x):
        for layer in self:
            x = layer(x.flatten(1) if isinstance(layer, nn.Linear) else x)
        return x


class Residual(nn.Module):
    """The sum of a branch and a shortcut."""

    def __init__(self, branch, shortcut=None):
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut or nn.Identity()

    def forward(self, x):
        return self.branch(x) + self.shortcut(x)


class Apply(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


# Sound


def keras_norm(channels, rank=1):
    return getattr(nn, f"BatchNorm{rank}d")(channels, eps=1e-3, momentum=0.01)


def raw_waveform(first, width, depth, classes=10):
    layers = [nn.Conv1d(1, first, 80, 4, 38), nn.BatchNorm1d(first), nn.ReLU()]
    layers.append(nn.MaxPool1d(4, ceil_mode=True))
    inputs = first
    for stage, (outputs, times) in enumerate(zip(width, depth, strict=True)):
        for _ in range(times):
            layers += [nn.Conv1d(inputs, outputs, 3, padding=1), nn.BatchNorm1d(outputs)]
            layers.append(nn.ReLU())
            inputs = outputs
        if stage < 3:
            layers.append(nn.MaxPool1d(4, ceil_mode=True))
    layers += [nn.AdaptiveAvgPool1d(1), nn.Linear(inputs, classes), nn.Softmax(1)]
    return Chain(*layers)


class M34Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv1d(inputs, outputs, 3, padding=1), nn.BatchNorm1d(outputs), nn.ReLU(),
            nn.Conv1d(outputs, outputs, 3, padding=1), nn.BatchNorm1d(outputs),
        )  # fmt: skip
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x):
        y = self.branch(x)
        x = torch.cat([x, x], 1) if y.shape[1] > x.shape[1] else x
        return F.relu(self.norm(x + y))


def m34():
    layers = [nn.Conv1d(1, 48, 80, 4, 38), nn.BatchNorm1d(48), nn.ReLU()]
    inputs = 48
    for outputs, times in (48, 3), (96, 4), (192, 6), (384, 3):
        layers.append(nn.MaxPool1d(4, ceil_mode=True))
        for _ in range(times):
            layers.append(M34Block(inputs, outputs))
            inputs = outputs
    return Chain(*layers, nn.AdaptiveAvgPool1d(1), nn.Linear(384, 10), nn.Softmax(1))


class SameConv(nn.Conv1d):
    """A convolution of 16 taps, padded as Keras pads it."""

    def forward(self, x):
        after = 8 if self.stride == (1,) else 7
        return super().forward(F.pad(x, (7, after)))


class EcgBlock(nn.Module):
    def __init__(self, index, inputs, outputs):
        super().__init__()
        self.halves = index % 2 == 1
        before = [] if index == 0 else [keras_norm(inputs), nn.ReLU()]
        self.branch = nn.Sequential(
            *before, SameConv(inputs, outputs, 16, 2 if self.halves else 1),
            keras_norm(outputs), nn.ReLU(), SameConv(outputs, outputs, 16),
        )  # fmt: skip

    def forward(self, x):
        y = self.branch(x)
        x = F.max_pool1d(x, 2) if self.halves else x
        return y + F.pad(x, (0, 0, 0, y.shape[1] - x.shape[1]))


class Ecg(nn.Module):
    def __init__(self, filters, classes):
        super().__init__()
        sizes = [filters[0]] + [filters[index // 4] for index in range(16)]
        self.stem = nn.Sequential(SameConv(1, sizes[0], 16), keras_norm(sizes[0]), nn.ReLU())
        pairs = enumerate(itertools.pairwise(sizes))
        self.blocks = nn.Sequential(*[EcgBlock(index, a, b) for index, (a, b) in pairs])
        self.norm = keras_norm(sizes[-1])
        self.fc = nn.Linear(sizes[-1], classes)

    def forward(self, x):
        x = F.relu(self.norm(self.blocks(self.stem(x))))
        return self.fc(x.transpose(1, 2)).softmax(2)


class WaveNetLayer(nn.Module):
    def __init__(self, residual, gates, skips, step):
        super().__init__()
        self.filter = nn.Conv1d(residual, gates, 2, dilation=step)
        self.gate = nn.Conv1d(residual, gates, 2, dilation=step)
        self.dense = nn.Conv1d(gates, residual, 1)
        self.skip = nn.Conv1d(gates, skips, 1)

    def forward(self, x, width):
        out = torch.tanh(self.filter(x)) * torch.sigmoid(self.gate(x))
        more = self.dense(out)
        return x[:, :, -more.shape[2] :] + more, self.skip(out[:, :, -width:])


class WaveNet(nn.Module):
    def __init__(self, residual, gates, skips, levels, stacks, depth):
        super().__init__()
        steps = [2**index for index in range(depth)] * stacks
        self.reach = sum(steps) + 1
        self.causal = nn.Conv1d(levels, residual, 2, bias=False)
        self.layers = nn.ModuleList(WaveNetLayer(residual, gates, skips, s) for s in steps)
        self.post1 = nn.Conv1d(skips, skips, 1)
        self.post2 = nn.Conv1d(skips, levels, 1)

    def forward(self, x):
        width = x.shape[2] - self.reach
        x, total = self.causal(x), 0
        for layer in self.layers:
            x, skip = layer(x, width)
            total = total + skip
        return self.post2(F.relu(self.post1(F.relu(total)))).softmax(1)


class Spotify(nn.Module):
    def __init__(self, factors=40):
        super().__init__()
        self.conv = nn.ModuleList(
            nn.Conv1d(a, b, 4) for a, b in ((128, 256), (256, 256), (256, 512), (512, 512))
        )
        self.fc1, self.fc2 = nn.Linear(1536, 2048), nn.Linear(2048, 2048)
        self.fc3 = nn.Linear(2048, factors)

    def forward(self, x):
        for conv, pool in zip(self.conv, (4, 2, 2, 1), strict=True):
            x = F.max_pool1d(F.relu(conv(x)), pool)
        x = torch.cat([x.mean(2), x.amax(2), x.square().sum(2).sqrt()], 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


def palaz():
    layers, inputs = [], 1
    for outputs, size, stride in (80, 30, 10), (60, 7, 1), (60, 7, 1):
        layers += [nn.Conv1d(inputs, outputs, size, stride), nn.MaxPool1d(3), nn.ReLU()]
        inputs = outputs
    return Chain(*layers, nn.Linear(900, 1000), nn.ReLU(), nn.Linear(1000, 183), nn.Softmax(1))


def abdelhamid():
    return Chain(
        nn.Conv1d(45, 150, 8), nn.Sigmoid(), nn.MaxPool1d(6, 2), nn.Linear(2100, 1000),
        nn.Sigmoid(), nn.Linear(1000, 1000), nn.Sigmoid(), nn.Linear(1000, 183), nn.Softmax(1),
    )  # fmt: skip


# Text


class TextCnn(nn.Module):
    def __init__(self, words, embedding, filters, classes=2):
        super().__init__()
        self.embedding = nn.Embedding(words, embedding)
        self.convs = nn.ModuleList(nn.Conv1d(embedding, filters, size) for size in (3, 4, 5))
        self.fc = nn.Linear(3 * filters, classes)

    def forward(self, tokens):
        x = self.embedding(tokens).transpose(1, 2)
        found = [F.relu(conv(x)).amax(2) for conv in self.convs]
        return self.fc(torch.cat(found, 1)).softmax(1)


class ConvEncoder(nn.Module):
    def __init__(self, words, width, attention=6, context=3):
        super().__init__()
        self.tokens, self.places = nn.Embedding(words, width), nn.Embedding(1024, width)
        self.a, self.c = (
            nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(count))
            for count in (attention, context)
        )

    def forward(self, tokens, places):
        embedded = (self.tokens(tokens) + self.places(places)).transpose(1, 2)
        found = []
        for stack in self.a, self.c:
            x = embedded
            for conv in stack[:-1]:
                x = torch.tanh(conv(x) + x)
            found.append(torch.tanh(stack[-1](x)))
        return tuple(found)


class Gated(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv1d(width, 2 * width, 3, padding=1)

    def forward(self, x):
        a, b = self.conv(x).chunk(2, 1)
        return (a * torch.sigmoid(b) + x) * 0.5**0.5


# Maps, volumes, graphs


class DeepSt(nn.Module):
    def __init__(self):
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(c, 64, 3, padding=1) for c in (6, 7, 4))
        self.convs = nn.Sequential(
            nn.Conv2d(192, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.weather = nn.Linear(28, 10)
        self.last = nn.Conv2d(74, 1, 1)

    def forward(self, c, p, t, external):
        pairs = zip(self.branches, (c, p, t), strict=True)
        x = self.convs(torch.cat([F.relu(conv(data)) for conv, data in pairs], 1))
        w = self.weather(external)[:, :, None, None].expand(-1, -1, 20, 20)
        return torch.sigmoid(self.last(torch.cat([x, w], 1)))


class StBranch(nn.Module):
    def __init__(self, channels, units):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 3, padding=1)
        self.units = nn.Sequential(*[
            Residual(nn.Sequential(
                nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1),
                nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1),
            )) for _ in range(units)
        ])  # fmt: skip
        self.conv2 = nn.Conv2d(64, 2, 3, padding=1)
        self.last = nn.ParameterDict({"weight": nn.Parameter(torch.ones(2, 32, 32))})

    def forward(self, x):
        return self.conv2(F.relu(self.units(self.conv1(x)))) * self.last["weight"]


class StResnet(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.branches = nn.ModuleList(StBranch(channels, units) for channels in (6, 2, 2))
        self.fc1, self.fc2 = nn.Linear(28, 10), nn.Linear(10, 2048)

    def forward(self, c, p, t, external):
        past = sum(f(x) for f, x in zip(self.branches, (c, p, t), strict=True))
        weather = F.relu(self.fc2(F.relu(self.fc1(external)))).view(-1, 2, 32, 32)
        return torch.tanh(past + weather)


def mnist_3d():
    def conv(a, b):
        return [nn.Conv3d(a, b, 3), nn.ReLU()]

    return Chain(
        *conv(3, 8), *conv(8, 16), nn.MaxPool3d(2), *conv(16, 32), *conv(32, 64), nn.MaxPool3d(2),
        keras_norm(64, 3), nn.Linear(64, 2048), nn.ReLU(), nn.Linear(2048, 512), nn.ReLU(),
        nn.Linear(512, 10), nn.Softmax(1),
    )  # fmt: skip


def c3d():
    def conv(a, b):
        return [nn.Conv3d(a, b, 3, padding=1), nn.ReLU()]

    return Chain(
        *conv(3, 64), nn.MaxPool3d((1, 2, 2)), *conv(64, 128), nn.MaxPool3d(2),
        *conv(128, 256), *conv(256, 256), nn.MaxPool3d(2),
        *conv(256, 512), *conv(512, 512), nn.MaxPool3d(2),
        *conv(512, 512), *conv(512, 512), nn.MaxPool3d(2, padding=(0, 1, 1)),
        nn.Linear(8192, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 487),
    )  # fmt: skip


def patchy_san():
    return Chain(
        nn.Conv1d(1, 16, 10, 10), nn.ReLU(), nn.Conv1d(16, 8, 10), nn.ReLU(),
        nn.Linear(72, 128), nn.ReLU(), nn.Linear(128, 2), nn.Softmax(1),
    )  # fmt: skip


# Generators and their critics


class DcganTorch(nn.Module):
    def __init__(self, width):
        super().__init__()
        sizes = [100, 8 * width, 4 * width, 2 * width, width, 3]
        layers = []
        for index, (a, b) in enumerate(itertools.pairwise(sizes)):
            stride, pad = (1, 0) if index == 0 else (2, 1)
            layers.append(nn.ConvTranspose2d(a, b, 4, stride, pad, bias=False))
            if index < 4:
                layers += [nn.BatchNorm2d(b), nn.ReLU()]
        self.main = nn.Sequential(*layers, nn.Tanh())

    def forward(self, z):
        return self.main(z)


def conv3(a, b):
    return nn.Conv2d(a, b, 3, padding=1, bias=False)


def nearest(a, b):
    return nn.Sequential(nn.Upsample(scale_factor=2), conv3(a, b), nn.BatchNorm2d(b), nn.ReLU())


class Conditioning(nn.Module):
    def __init__(self, condition):
        super().__init__()
        self.fc = nn.Linear(1024, 2 * condition)

    def forward(self, text):
        mu, logvar = F.relu(self.fc(text)).chunk(2, 1)
        return mu + (logvar / 2).exp() * torch.randn_like(mu) if self.training else mu


class StageOneG(nn.Module):
    def __init__(self, width, condition):
        super().__init__()
        top = 8 * width
        self.ca_net = Conditioning(condition)
        self.fc = nn.Sequential(
            nn.Linear(100 + condition, 16 * top, bias=False), nn.BatchNorm1d(16 * top), nn.ReLU()
        )
        self.upsample1, self.upsample2 = nearest(top, top // 2), nearest(top // 2, top // 4)
        self.upsample3, self.upsample4 = nearest(top // 4, top // 8), nearest(top // 8, top // 16)
        self.img = nn.Sequential(conv3(top // 16, 3), nn.Tanh())

    def forward(self, text, noise):
        x = self.fc(torch.cat([noise, self.ca_net(text)], 1)).unflatten(1, (-1, 4, 4))
        x = self.upsample2(self.upsample1(x))
        return self.img(self.upsample4(self.upsample3(x)))


class StageTwoResidual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.block = nn.Sequential(
            conv3(channels, channels), nn.BatchNorm2d(channels), nn.ReLU(),
            conv3(channels, channels), nn.BatchNorm2d(channels),
        )  # fmt: skip

    def forward(self, x):
        return F.relu(self.block(x) + x)


class StageTwoG(nn.Module):
    def __init__(self, width, condition, residuals):
        super().__init__()
        self.STAGE1_G = StageOneG(width, condition)
        self.STAGE1_G.requires_grad_(False)
        self.encoder = nn.Sequential(
            conv3(3, width), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(4 * width),
            nn.ReLU(),
        )  # fmt: skip
        self.ca_net = Conditioning(condition)
        self.hr_joint = nn.Sequential(
            conv3(4 * width + condition, 4 * width), nn.BatchNorm2d(4 * width), nn.ReLU()
        )
        self.residual = nn.Sequential(*[StageTwoResidual(4 * width) for _ in range(residuals)])
        self.upsample1, self.upsample2 = nearest(4 * width, 2 * width), nearest(2 * width, width)
        self.upsample3 = nearest(width, width // 2)
        self.upsample4 = nearest(width // 2, width // 4)
        self.img = nn.Sequential(conv3(width // 4, 3), nn.Tanh())

    def forward(self, text, noise):
        x = self.encoder(self.STAGE1_G(text, noise))
        code = self.ca_net(text)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        x = self.residual(self.hr_joint(torch.cat([x, code], 1)))
        x = self.upsample2(self.upsample1(x))
        return self.img(self.upsample4(self.upsample3(x)))


class Logits(nn.Module):
    def __init__(self, width, condition):
        super().__init__()
        joint = [conv3(8 * width + condition, 8 * width), nn.BatchNorm2d(8 * width)]
        joint.append(nn.LeakyReLU(0.2))
        last = [nn.Conv2d(8 * width, 1, 4, 4), nn.Sigmoid()]
        self.outlogits = nn.Sequential(*(joint if condition else []), *last)

    def forward(self, x, code=None):
        if code is not None:
            x = torch.cat([x, code[:, :, None, None].expand(-1, -1, 4, 4)], 1)
        return self.outlogits(x).flatten(1)


class StackD(nn.Module):
    """Both stages: `sizes` are the widths of the halvings, `after` those behind them."""

    def __init__(self, width, condition, sizes, after=()):
        super().__init__()
        layers = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        inputs = width
        for outputs in sizes:
            layers.append(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False))
            layers += [nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
            inputs = outputs
        for outputs in after:
            layers += [conv3(inputs, outputs), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
            inputs = outputs
        self.encode_img = nn.Sequential(*layers)
        self.get_cond_logits = Logits(width, condition)
        if after:
            self.get_uncond_logits = Logits(width, 0)

    def forward(self, image, code):
        x = self.encode_img(image)
        found = self.get_cond_logits(x, code)
        return (found, self.get_uncond_logits(x)) if hasattr(self, "get_uncond_logits") else found


class Equal(nn.Module):
    """A convolution or dense layer whose weights are scaled by He's constant as they are used."""

    def __init__(self, inputs, outputs, size=None, gain=2**0.5, bias=True):
        super().__init__()
        shape = (outputs, inputs) if size is None else (outputs, inputs, size, size)
        self.weight = nn.Parameter(torch.randn(shape))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.factor = gain / (inputs * (size or 1) ** 2) ** 0.5

    def forward(self, x):
        weight = self.weight * self.factor
        if weight.dim() == 2:
            return F.linear(x.flatten(1), weight, self.bias)
        return F.conv2d(x, weight, self.bias, padding=weight.shape[2] // 2)


def pixel_norm(x):
    return x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()


def leaky(x):
    return F.leaky_relu(x, 0.2)


class ProganG(nn.Module):
    def __init__(self, top, sizes):
        super().__init__()
        self.top = top
        self.dense = Equal(top, 16 * top, gain=2**0.5 / 4, bias=False)
        self.bias = nn.ParameterDict({"bias": nn.Parameter(torch.zeros(top))})
        self.conv = Equal(top, top, 3)
        pairs = zip([top, *sizes], sizes, strict=False)
        self.up = nn.ModuleList(nn.ModuleList([Equal(a, b, 3), Equal(b, b, 3)]) for a, b in pairs)
        self.rgb = Equal(sizes[-1], 3, 1, gain=1)

    def forward(self, z):
        x = self.dense(pixel_norm(z)).view(-1, self.top, 4, 4)
        x = pixel_norm(leaky(x + self.bias["bias"][None, :, None, None]))
        x = pixel_norm(leaky(self.conv(x)))
        for first, second in self.up:
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
            x = pixel_norm(leaky(second(pixel_norm(leaky(first(x))))))
        return self.rgb(x)


def with_deviation(x, group=4):
    """Append how much the images of a group differ, as progressive_growing_of_gans does."""
    y = x.reshape(min(group, x.shape[0]), -1, *x.shape[1:])
    y = ((y - y.mean(0)).square().mean(0) + 1e-8).sqrt().mean((1, 2, 3))
    y = y.repeat(min(group, x.shape[0]))[:, None, None, None]
    return torch.cat([x, y.expand(-1, 1, *x.shape[2:])], 1)


class ProganD(nn.Module):
    def __init__(self, top, sizes):
        super().__init__()
        self.rgb = Equal(3, sizes[0], 1)
        pairs = zip(sizes, [*sizes[1:], top], strict=True)
        self.down = nn.ModuleList(nn.ModuleList([Equal(a, a, 3), Equal(a, b, 3)]) for a, b in pairs)
        self.conv = Equal(top + 1, top, 3)
        self.dense0, self.dense1 = Equal(16 * top, top), Equal(top, 1, gain=1)

    def forward(self, x):
        x = leaky(self.rgb(x))
        for first, second in self.down:
            x = F.avg_pool2d(leaky(second(leaky(first(x)))), 2)
        return self.dense1(leaky(self.dense0(leaky(self.conv(with_deviation(x))))))


def unit(weight):
    """Divide a weight by its largest singular value, which is found exactly."""
    return weight / torch.linalg.matrix_norm(weight.flatten(1), 2)


class Spectral(nn.Module):
    def __init__(self, inputs, outputs, size=None, bias=True):
        super().__init__()
        shape = (outputs, inputs) if size is None else (outputs, inputs, size, size)
        self.weight = nn.Parameter(torch.randn(shape))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x):
        weight = unit(self.weight)
        if weight.dim() == 2:
            return F.linear(x, weight, self.bias)
        return F.conv2d(x, weight, self.bias, padding=weight.shape[2] // 2)


class ClassNorm(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(classes, channels))
        self.bias = nn.Parameter(torch.zeros(classes, channels))
        self.norm = nn.BatchNorm2d(channels, affine=False)

    def forward(self, x, label):
        factor, offset = self.weight[label], self.bias[label]
        return self.norm(x) * factor[:, :, None, None] + offset[:, :, None, None]


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.theta = Spectral(channels, channels // 8, 1, bias=False)
        self.phi = Spectral(channels, channels // 8, 1, bias=False)
        self.g = Spectral(channels, channels // 2, 1, bias=False)
        self.o = Spectral(channels // 2, channels, 1, bias=False)
        self.sigma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        n, _, h, w = x.shape
        theta = self.theta(x).flatten(2).permute(0, 2, 1)
        phi = F.max_pool2d(self.phi(x), 2).flatten(2)
        g = F.max_pool2d(self.g(x), 2).flatten(2).permute(0, 2, 1)
        seen = (theta @ phi).softmax(-1) @ g
        return x + self.sigma * self.o(seen.permute(0, 2, 1).reshape(n, -1, h, w))


class SaganUp(nn.Module):
    def __init__(self, inputs, outputs, classes):
        super().__init__()
        self.norm0, self.conv1 = ClassNorm(inputs, classes), Spectral(inputs, outputs, 3)
        self.norm1, self.conv2 = ClassNorm(outputs, classes), Spectral(outputs, outputs, 3)
        self.conv3 = Spectral(inputs, outputs, 1)

    def forward(self, x, label):
        y = F.interpolate(F.relu(self.norm0(x, label)), scale_factor=2)
        y = self.conv2(F.relu(self.norm1(self.conv1(y), label)))
        return y + self.conv3(F.interpolate(x, scale_factor=2))


class SaganG(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        sizes = [16 * width, 16 * width, 8 * width, 4 * width, 2 * width, width]
        pairs = list(itertools.pairwise(sizes))
        self.project = Spectral(128, 256 * width)
        self.first = nn.ModuleList(SaganUp(a, b, classes) for a, b in pairs[:3])
        self.attention = Attention(4 * width)
        self.rest = nn.ModuleList(SaganUp(a, b, classes) for a, b in pairs[3:])
        self.norm = nn.BatchNorm2d(width)
        self.last = Spectral(width, 3, 3)

    def forward(self, z, label):
        x = self.project(z).unflatten(1, (-1, 4, 4))
        for block in self.first:
            x = block(x, label)
        x = self.attention(x)
        for block in self.rest:
            x = block(x, label)
        return torch.tanh(self.last(F.relu(self.norm(x))))


class SaganDown(nn.Module):
    def __init__(self, inputs, outputs, first=False, halves=True):
        super().__init__()
        self.first, self.halves = first, halves
        self.conv1, self.conv2 = Spectral(inputs, outputs, 3), Spectral(outputs, outputs, 3)
        self.conv3 = Spectral(inputs, outputs, 1) if halves else None

    def forward(self, x):
        y = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        if not self.halves:
            return x + y
        y = F.avg_pool2d(y, 2)
        if self.first:
            return y + self.conv3(F.avg_pool2d(x, 2))
        return y + F.avg_pool2d(self.conv3(x), 2)


class SaganD(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.block1 = SaganDown(3, width, first=True)
        self.block2 = SaganDown(width, 2 * width)
        self.attention = Attention(2 * width)
        self.rest = nn.Sequential(
            SaganDown(2 * width, 4 * width), SaganDown(4 * width, 8 * width),
            SaganDown(8 * width, 16 * width), SaganDown(16 * width, 16 * width, halves=False),
        )  # fmt: skip
        self.linear = Spectral(16 * width, 1)
        self.embedding = nn.Embedding(classes, 16 * width)

    def forward(self, image, label):
        x = self.rest(self.attention(self.block2(self.block1(image))))
        x = F.relu(x).sum((2, 3))
        said = unit(self.embedding.weight)[label]
        return self.linear(x) + (x * said).sum(1, keepdim=True)


class Ppgn(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.ModuleList(nn.Linear(4096, 4096) for _ in range(3))
        up, same = (4, 2, 1), (3, 1, 1)
        sizes = [
            (256, 256, up), (256, 512, same), (512, 256, up), (256, 256, same), (256, 128, up),
            (128, 128, same), (128, 64, up), (64, 32, up), (32, 3, up),
        ]  # fmt: skip
        self.deconv = nn.ModuleList(nn.ConvTranspose2d(a, b, *window) for a, b, window in sizes)

    def forward(self, x):
        for layer in self.fc:
            x = F.leaky_relu(layer(x), 0.3)
        x = x.view(-1, 256, 4, 4)
        for layer in self.deconv[:-1]:
            x = F.leaky_relu(layer(x), 0.3)
        return self.deconv[-1](x)


def cyclegan(width, residuals):
    def mirrored(a, b, size):
        return [nn.ReflectionPad2d(size // 2), nn.Conv2d(a, b, size)]

    layers = [*mirrored(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU()]
    for a in width, 2 * width:
        layers += [nn.Conv2d(a, 2 * a, 3, 2, 1), nn.InstanceNorm2d(2 * a), nn.ReLU()]
    top = 4 * width
    for _ in range(residuals):
        layers.append(Residual(nn.Sequential(
            *mirrored(top, top, 3), nn.InstanceNorm2d(top), nn.ReLU(),
            *mirrored(top, top, 3), nn.InstanceNorm2d(top),
        )))  # fmt: skip
    for a in top, top // 2:
        layers.append(nn.ConvTranspose2d(a, a // 2, 3, 2, 1, output_padding=1))
        layers += [nn.InstanceNorm2d(a // 2), nn.ReLU()]
    return nn.Sequential(*layers, *mirrored(width, 3, 7), nn.Tanh())


class Pix2Pix(nn.Module):
    def __init__(self, width):
        super().__init__()
        sizes = [width * min(2**index, 8) for index in range(8)]
        downs, ups = [], []
        for index, (a, b) in enumerate(zip([3, *sizes], sizes, strict=False)):
            norm = [nn.BatchNorm2d(b)] if 0 < index < 7 else []
            downs.append(nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), *norm))
        for index in range(7, 0, -1):
            a, b = sizes[index] * (1 if index == 7 else 2), sizes[index - 1]
            deconv = nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)
            ups.append(nn.Sequential(deconv, nn.BatchNorm2d(b)))
        self.downs, self.ups = nn.ModuleList(downs), nn.ModuleList(ups)
        self.last = nn.ConvTranspose2d(2 * width, 3, 4, 2, 1)

    def forward(self, x):
        skips = []
        for index, down in enumerate(self.downs):
            x = down(x)
            if index < 7:
                x = leaky(x)
                skips.append(x)
        for up in self.ups:
            x = torch.cat([skips.pop(), up(F.relu(x))], 1)
        return torch.tanh(self.last(F.relu(x)))


# Style and super-resolution


def inorm(channels):
    return nn.InstanceNorm2d(channels, affine=True)


class Shaved(nn.Module):
    """A residual block without padding: the shortcut loses two pixels on each side."""

    def __init__(self, channels):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(channels, channels, 3), inorm(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3), inorm(channels),
        )  # fmt: skip

    def forward(self, x):
        return self.branch(x) + x[:, :, 2:-2, 2:-2]


def fast_style(width, residuals):
    layers = [nn.ReflectionPad2d(40), nn.Conv2d(3, width, 9, padding=4), inorm(width), nn.ReLU()]
    for a in width, 2 * width:
        layers += [nn.Conv2d(a, 2 * a, 3, 2, 1), inorm(2 * a), nn.ReLU()]
    layers += [Shaved(4 * width) for _ in range(residuals)]
    for a in 4 * width, 2 * width:
        layers.append(nn.ConvTranspose2d(a, a // 2, 3, 2, 1, output_padding=1))
        layers += [inorm(a // 2), nn.ReLU()]
    layers += [nn.Conv2d(width, 3, 9, padding=4), nn.Tanh(), Apply(lambda x: 150 * x)]
    return nn.Sequential(*layers)


def super_resolution(ups, width, residuals):
    def conv(size, outputs=width, inputs=width):
        return nn.Conv2d(inputs, outputs, size, padding=size // 2)

    layers = [conv(9, inputs=3), nn.BatchNorm2d(width), nn.ReLU()]
    for _ in range(residuals):
        layers.append(Residual(nn.Sequential(
            conv(3), nn.BatchNorm2d(width), nn.ReLU(), conv(3), nn.BatchNorm2d(width)
        )))  # fmt: skip
    for _ in range(ups):
        layers.append(nn.ConvTranspose2d(width, width, 3, 2, 1, output_padding=1))
        layers += [nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, conv(9, outputs=3), nn.Tanh(), Apply(lambda x: 150 * x))


def chainer_style(width, residuals):
    def norm(channels):
        return nn.BatchNorm2d(channels, eps=2e-5)

    layers = [nn.Conv2d(3, width, 9, padding=4), nn.ELU(), norm(width)]
    for a in width, 2 * width:
        layers += [nn.Conv2d(a, 2 * a, 4, 2, 1), nn.ELU(), norm(2 * a)]
    top = 4 * width
    for _ in range(residuals):
        layers.append(Residual(nn.Sequential(
            nn.Conv2d(top, top, 3, padding=1), norm(top), nn.ReLU(),
            nn.Conv2d(top, top, 3, padding=1), norm(top),
        )))  # fmt: skip
    for a in top, top // 2:
        layers += [nn.ConvTranspose2d(a, a // 2, 4, 2, 1), nn.ELU(), norm(a // 2)]
    last = nn.ConvTranspose2d(width, 3, 9, padding=4)
    return nn.Sequential(*layers, last, Apply(lambda x: (x.tanh() + 1) * 127.5))


def texture_convs(inputs, outputs, mode):
    layers = []
    for a, size in (inputs, 3), (outputs, 3), (outputs, 1):
        layers.append(nn.Conv2d(a, outputs, size, padding=size // 2, padding_mode=mode))
        layers += [inorm(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class TexturePyramid(nn.Module):
    def __init__(self, width, mode="reflect"):
        super().__init__()
        self.first = texture_convs(3, width, mode)
        self.levels = nn.ModuleList(
            nn.ModuleList([
                inorm(width * i), texture_convs(3, width, mode), inorm(width),
                texture_convs(width * (i + 1), width * (i + 1), mode),
            ]) for i in range(1, 6)
        )  # fmt: skip
        self.last = nn.Conv2d(6 * width, 3, 1)

    def forward(self, image):
        x = self.first(F.avg_pool2d(image, 32))
        for ratio, (norm1, convs, norm2, join) in zip((16, 8, 4, 2, 1), self.levels, strict=True):
            here = norm2(convs(F.avg_pool2d(image, ratio)))
            x = join(torch.cat([norm1(F.interpolate(x, scale_factor=2)), here], 1))
        return self.last(x)


def features(layers, x, wanted, pool=F.max_pool2d):
    """Return what a VGG of torchvision gives at the places `wanted`, with a pooling of choice."""
    found = {}
    for index, layer in enumerate(layers):
        x = pool(x, 2) if isinstance(layer, nn.MaxPool2d) else layer(x)
        if isinstance(layer, nn.ReLU):
            x = found[index] = x.clone()
    return [found[index] for index in wanted]


def gram(x):
    flat = x.flatten(2)
    return flat @ flat.transpose(1, 2)


def gatys(layers, image, content, style):
    """Return the content loss and five style losses of the paper, for one image."""
    places = [1, 6, 11, 20, 29]
    *ours, deep = features(layers, image, [*places, 22], F.avg_pool2d)
    theirs = features(layers, style, places, F.avg_pool2d)
    (wanted,) = features(layers, content, [22], F.avg_pool2d)
    losses = [(deep - wanted).square().sum() / 2]
    for a, b in zip(ours, theirs, strict=True):
        maps, size = a.shape[1], a[0, 0].numel()
        scaled = gram(b) * size / b[0, 0].numel()  # where the images differ in size
        losses.append((gram(a) - scaled).square().sum() / (4 * maps**2 * size**2))
    return losses


def perceptual(layers, image, content, style):
    """Return the content loss, four style losses and the total variation, for a batch."""
    places = [3, 8, 15, 22]
    ours = features(layers, image, places)
    theirs = features(layers, style, places)
    (wanted,) = features(layers, content, [15])
    losses = [F.mse_loss(ours[2], wanted)]
    for a, b in zip(ours, theirs, strict=True):
        losses.append(F.mse_loss(gram(a) / a[0].numel(), gram(b) / b[0].numel()))
    down = (image[:, :, 1:] - image[:, :, :-1]).square().sum()
    right = (image[..., 1:] - image[..., :-1]).square().sum()
    return [*losses, (down + right) / image.shape[0]]


def patches(x):
    """Return every 3x3 patch of an image's map as a row."""
    return F.unfold(x, 3)[0].t()


def doodle(layers, image, regions, content, style, style_regions):
    """Return the content loss, the two patch losses, and how far the image is from smooth."""
    ours = features(layers, image, [11, 20, 22], F.avg_pool2d)
    theirs = features(layers, style, [11, 20], F.avg_pool2d)
    (wanted,) = features(layers, content, [22], F.avg_pool2d)
    losses = [F.mse_loss(ours[2], wanted)]
    for a, b, size in zip(ours, theirs, (4, 8), strict=False):
        here = patches(torch.cat([a, F.avg_pool2d(regions, size)], 1))
        there = patches(torch.cat([b, F.avg_pool2d(style_regions, size)], 1))
        best = (F.normalize(here) @ F.normalize(there).t()).argmax(1)
        losses.append(F.mse_loss(patches(a), patches(b)[best]))
    corner = image[:, :, :-1, :-1]
    down, right = image[:, :, 1:, :-1] - corner, image[:, :, :-1, 1:] - corner
    return [*losses, (down**2 + right**2).pow(1.25).sum()]
