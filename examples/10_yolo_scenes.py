"""Learn a handful of scenes by heart with YOLO v1, and find every object in them again."""

from pathlib import Path

import torch
from pictures import grid, picture_option, save

import netspec

SPEC = Path(__file__).parent / "yolo_small.yaml"
SIDE, SIZE = 4, 64


def scenes(count: int) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    """Return pictures of discs and squares, YOLO's truth, and class, x1, y1, x2, y2 of each."""
    images = 0.1 * torch.rand(count, 3, SIZE, SIZE)
    truth = torch.zeros(count, SIDE * SIDE, 7)
    objects = []
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    for image, cells in zip(images, truth, strict=True):
        placed = []
        for cell in torch.randperm(SIDE * SIDE)[:3].tolist():
            kind, radius = int(torch.randint(2, ())), int(torch.randint(6, 13, ()))
            at = torch.rand(2)  # within the cell
            cx, cy = ((torch.tensor([cell % SIDE, cell // SIDE]) + at) * SIZE / SIDE).tolist()
            disc = (x - cx) ** 2 + (y - cy) ** 2 <= radius**2
            square = ((x - cx).abs() <= radius) & ((y - cy).abs() <= radius)
            image[:, square if kind else disc] = torch.rand(3, 1) * 0.5 + 0.4
            extent = torch.tensor([2 * radius / SIZE] * 2)
            label = torch.tensor([1.0, 1 - kind, kind])
            cells[cell] = torch.cat([label, at, extent])
            box = [cx - radius, cy - radius, cx + radius, cy + radius]
            placed.append([kind, *(edge / SIZE for edge in box)])
        objects.append(torch.tensor(placed))
    return images, truth.flatten(1), objects


def overlaps(box: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Return the intersection over union of one box with others."""
    low, high = torch.maximum(box[:2], boxes[:, :2]), torch.minimum(box[2:], boxes[:, 2:])
    both = (high - low).clamp(min=0).prod(1)
    return both / ((box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(1) - both)


def main(steps: int = 300, picture: Path | None = None) -> tuple[float, int]:
    """Return the share of objects found, by class and IoU over 0.5, and the boxes too many."""
    torch.manual_seed(0)
    images, truth, objects = scenes(8)
    model = netspec.build(SPEC, phase="train")
    optimiser = torch.optim.Adam(model.parameters(), lr=0.001)
    for step in range(steps):
        optimiser.zero_grad()
        loss = model(images, truth)["loss"]
        loss.backward()
        optimiser.step()
        if step % 50 == 49:
            print(f"step {step + 1}: loss {loss.item():.4f}")

    deployed = netspec.build(SPEC, outputs=["boxes", "indices", "scores"])
    deployed.load_state_dict(model.state_dict())
    with torch.no_grad():
        found = deployed(images)
    right = made = 0
    for image, boxes, indices, scores, real in zip(images, *found.values(), objects, strict=True):
        boxes, kinds = boxes[indices >= 0, :4], scores[indices[indices >= 0]].argmax(1)
        made += len(boxes)
        for kind, *box in real.tolist():
            near = overlaps(torch.tensor(box), boxes) > 0.5
            right += bool((near & (kinds == kind)).any())
        for x1, y1, x2, y2 in (boxes * SIZE).clamp(0, SIZE - 1).long().tolist():
            image[:, [y1, y2], x1 : x2 + 1] = image[:, y1 : y2 + 1, [x1, x2]] = torch.ones(3, 1, 1)
    total = sum(map(len, objects))
    print(f"{right} of {total} objects found, {made - right} boxes too many")
    if picture:
        save(picture, grid(list(images), columns=4, zoom=2))
    return right / total, made - right


if __name__ == "__main__":
    main(picture=picture_option())
