"""Train the net of the ConvNetJS demo on handwritten digits, enlarged to its 3x32x32 pictures."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import netspec


def main(epochs: int = 6) -> float:
    """Return the share of test digits that are classified rightly."""
    torch.manual_seed(0)
    digits, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    images = digits.float().view(-1, 1, 8, 8) / 16 - 0.5
    images = torch.nn.functional.interpolate(images, size=32, mode="bilinear").expand(-1, 3, -1, -1)
    train, test = train_test_split(range(len(labels)), test_size=0.25, random_state=0)
    train = torch.tensor(train)

    model = netspec.build("zoo:convnetjs_cifar10", phase="train")
    optimiser = torch.optim.Adam(model.parameters(), lr=0.002, weight_decay=0.0001)
    for epoch in range(epochs):
        for batch in train[torch.randperm(len(train))].split(32):
            optimiser.zero_grad()
            loss = model(images[batch], labels[batch])["loss"]
            loss.backward()
            optimiser.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}")

    deployed = netspec.build("zoo:convnetjs_cifar10")
    deployed.load_state_dict(model.state_dict())
    with torch.no_grad():
        right = (deployed(images[test]).argmax(1) == labels[test]).float().mean().item()
    print(f"test accuracy: {right:.1%}")
    return right


if __name__ == "__main__":
    main()
