"""The workloads with PyTorch: eager, or with "compile" as argument torch.compile of the model with its loss; the optimizers are
those of torch.optim in both."""
import sys

import torch
import workloads

COMPILED = sys.argv[1:] == ["compile"]


class Product(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return x * self.w


def model(workload):
    nn = torch.nn
    if workload == "W1":
        return Product(), nn.MSELoss()
    if workload == "W2":
        return nn.Linear(1, 1), nn.MSELoss(reduction="sum")
    if workload == "W3":
        return nn.Sequential(nn.Linear(1, 1), nn.Sigmoid()), nn.BCELoss(reduction="sum")
    if workload in workloads.WIDTHS:
        widths = workloads.WIDTHS[workload]
        layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        return nn.Sequential(*layers[:-1]), nn.CrossEntropyLoss()
    layers = [nn.Linear(8, 6), nn.Sigmoid(), nn.Linear(6, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid()]
    return nn.Sequential(*layers), nn.BCELoss()


def make_step(workload):
    torch.manual_seed(0)
    network, criterion = model(workload)
    x, y = workloads.data(workload)
    x = torch.tensor(x, dtype=torch.float32)
    y = torch.tensor(y, dtype=torch.int64 if workload in workloads.WIDTHS else torch.float32)
    rate = workloads.rate(workload)
    if workload == "W13":
        optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    else:
        optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.5 if workload == "W6" else 0)

    def forward(x, y):
        return criterion(network(x), y)

    if COMPILED:
        forward = torch.compile(forward)

    def step(wanted):
        optimizer.zero_grad()
        loss = forward(x, y)
        loss.backward()
        optimizer.step()
        return loss.item() if wanted else None

    return step


if __name__ == "__main__":
    torch.set_num_threads(1)
    workloads.serve(make_step, torch.__version__)
