"""Train LeNet on scikit-learn's handwritten digits, from the spec and the solver's multipliers."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import netspec


def main(epochs: int = 6) -> float:
    """Return the share of test digits that are classified rightly."""
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    images = torch.nn.functional.interpolate(images, size=28, mode="bilinear")
    parts = train_test_split(images.numpy(), labels, test_size=0.25, random_state=0)
    train_x, test_x, train_y, test_y = (torch.from_numpy(np.ascontiguousarray(p)) for p in parts)

    model = netspec.build("zoo:lenet_caffe", phase="train")
    groups = netspec.param_groups(model, lr=0.01, weight_decay=0.0005)
    optimiser = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    for epoch in range(epochs):
        order = torch.randperm(len(train_x))
        for batch in order.split(32):
            optimiser.zero_grad()
            loss = model(train_x[batch], train_y[batch])["loss"]
            loss.backward()
            optimiser.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}")

    deployed = netspec.build("zoo:lenet_caffe", phase="test")
    deployed.load_state_dict(model.state_dict())
    with torch.no_grad():
        right = (deployed(test_x).argmax(1) == test_y).float().mean().item()
    print(f"test accuracy: {right:.1%}")
    return right


if __name__ == "__main__":
    main()
