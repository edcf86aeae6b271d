"""The workloads with PyTorch: eager, or with "compile" as argument torch.compile of the model with its loss; the optimizers
are those of torch.optim in both. Pieces and inference likewise, without gradients."""
import sys

import pieces
import torch
import workloads

COMPILED = "compile" in sys.argv[1:]
F = torch.nn.functional


def compiled(function):
    return torch.compile(function) if COMPILED else function


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


def piece_function(name):
    first, a_transposed, b_transposed = pieces.function(name)
    if first == "matmul":
        return lambda a, b: (a.T if a_transposed else a) @ (b.T if b_transposed else b)
    return {"softmax": lambda a: torch.softmax(a, 1), "layer_norm": lambda a: F.layer_norm(a, a.shape[1:]),
            "gelu": lambda a: F.gelu(a, approximate="tanh"),
            "chain": lambda a, b: torch.sigmoid(torch.tanh(torch.exp(a * b + a)) * 2 + b) - a,
            "row_sums": lambda a: a.sum(1), "column_sums": lambda a: a.sum(0),
            "transpose": lambda a: a.T.contiguous(), "add": lambda a, b: a + b}[first]


class Torch(workloads.Framework):
    version = torch.__version__

    @staticmethod
    def training(workload):
        """A function that trains one step with the batch it is given, and returns the loss."""
        torch.manual_seed(0)
        network, criterion = model(workload)
        rate = workloads.rate(workload)
        if workload == "W13":
            optimizer = torch.optim.Adam(network.parameters(), lr=rate)
        else:
            optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.5 if workload == "W6" else 0)
        forward = compiled(lambda x, y: criterion(network(x), y))

        def train(x, y):
            optimizer.zero_grad()
            loss = forward(x, y)
            loss.backward()
            optimizer.step()
            return loss

        return train

    @staticmethod
    def step(workload):
        train = Torch.training(workload)
        x, y = workloads.data(workload)
        x = torch.tensor(x, dtype=torch.float32)
        y = torch.tensor(y, dtype=torch.int64 if workload in workloads.WIDTHS else torch.float32)

        def step(wanted):
            loss = train(x, y)
            return loss.item() if wanted else None

        return step

    @staticmethod
    def epoch(workers):
        x, y = (torch.tensor(rows, dtype=torch.float32) for rows in workloads.diabetes(768))
        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True,
                                             num_workers=int(workers))
        train = Torch.training("W5")

        def epoch(wanted):
            return sum(train(inputs, labels).item() for inputs, labels in loader) / len(loader)

        return epoch

    @staticmethod
    def piece(name, operands):
        function = compiled(piece_function(name))
        operands = [torch.from_numpy(a) for a in operands]

        def call(wanted):
            with torch.inference_mode():
                return function(*operands)

        return call

    @staticmethod
    def predict(workload):
        network = compiled(model(workload)[0].eval())
        x = torch.tensor(workloads.data(workload)[0][:1], dtype=torch.float32)

        def call(wanted):
            with torch.inference_mode():
                network(x)

        return call


def compile_step(workload):
    """Until the first step is done: torch.compile does its work then."""
    torch._inductor.config.force_disable_caches = True

    def once():
        torch._dynamo.reset()
        Torch.step(workload)(True)

    return once


if __name__ == "__main__":
    torch.set_num_threads(1)
    framework = Torch()
    if COMPILED:
        import torch._inductor.config

        framework.compile = compile_step
    workloads.serve(framework)
