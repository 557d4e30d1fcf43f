"""Tell the two sides of Zachary's karate club apart with a graph convolutional network.

Two members are labelled, the instructor and the president; the other 32 are told by whom they know.
"""

import networkx
import torch

import netspec


def main(steps: int = 200) -> float:
    """Return the share of members put on the side they chose."""
    torch.manual_seed(0)
    club = networkx.karate_club_graph()
    side = torch.tensor([int(club.nodes[n]["club"] == "Officer") for n in club])
    adjacency = torch.tensor(networkx.to_numpy_array(club, weight=None), dtype=torch.float32)
    members = torch.eye(len(club))
    sizes = {"x": list(members.shape), "adjacency": list(adjacency.shape)}

    model = netspec.build("zoo:gcn_cora", phase="train", inputs=sizes, classes=2)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    known = [0, 33]
    for step in range(steps):
        optimiser.zero_grad()
        scores = model(members, adjacency)
        loss = torch.nn.functional.cross_entropy(scores[known], side[known])
        loss.backward()
        optimiser.step()
        if step % 50 == 49:
            print(f"step {step + 1}: loss {loss.item():.4f}")

    with torch.no_grad():
        right = (model.eval()(members, adjacency).argmax(1) == side).float().mean().item()
    print(f"members on their own side: {right:.1%}")
    return right


if __name__ == "__main__":
    main()
