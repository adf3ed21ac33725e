"""PyTorch, eager: tensors in memory, batches by index_select, the fused Adam, all cores. See peer.py."""

import time

import torch
from torch import nn

import peer
from configurations import ADAM_EPSILON, BETA2, NORM_EPSILON, layers


class GaussianNoise(nn.Module):
    def __init__(self, deviation):
        super().__init__()
        self.deviation = deviation

    def forward(self, x):
        return torch.add(x, torch.randn_like(x), alpha=self.deviation) if self.training else x


def network(task):
    parts, width = [], task.n_features
    for kind, *values in layers(task.configuration, task.n_classes):
        if kind == "dense":
            parts += [nn.Linear(width, values[0]), nn.ReLU(inplace=True)]
            width = values[0]
        elif kind == "norm":
            parts.append(nn.LayerNorm(width, eps=NORM_EPSILON))
        else:
            parts.append(GaussianNoise(*values) if kind == "noise" else nn.Dropout(*values))
    # The softmax is in the loss.
    return nn.Sequential(*parts[:-1])


class Trainer:
    def __init__(self, task):
        torch.manual_seed(42)
        torch.set_num_threads(peer.N_THREADS)
        self.about = f"PyTorch {torch.__version__}"
        self.task = task
        self.x, self.y = torch.from_numpy(task.x), torch.from_numpy(task.y)
        self.x_val, self.y_val = torch.from_numpy(task.x_val), torch.from_numpy(task.y_val)
        self.network = network(task)
        with torch.no_grad():
            for to, start in zip(self.network.parameters(), task.weights(), strict=True):
                # Keras's kernels stand inputs first.
                to.copy_(torch.from_numpy(start.T))
        self.n_params = sum(p.numel() for p in self.network.parameters())
        self.loss = nn.CrossEntropyLoss()
        lr = task.configuration["lr"]
        self.adam = torch.optim.Adam(self.network.parameters(), lr=lr, fused=True)
        self.n_steps = 0

    def warm_up(self):
        self.train(1)

    def train(self, n_epochs):
        return [self.epoch() for _ in range(n_epochs)]

    def epoch(self):
        start = time.perf_counter()
        loss = self.train_epoch()
        self.network.eval()
        with torch.inference_mode():
            logits = self.network(self.x_val)
            val_loss = self.loss(logits, self.y_val).item()
            predicted = logits.argmax(1).numpy()
        f1 = peer.weighted_f1(self.task.y_val, predicted, self.task.n_classes)
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "loss": loss, "val_loss": val_loss, "val_weighted_f1": f1}

    def train_epoch(self):
        self.network.train()
        total = torch.zeros(())
        for rows in torch.from_numpy(self.task.order()).split(self.task.batch_size):
            x, y = self.x.index_select(0, rows), self.y.index_select(0, rows)
            self.adam.zero_grad(set_to_none=True)
            loss = self.loss(self.network(x), y)
            loss.backward()
            self.n_steps += 1
            # Keras's epsilon stands outside the correction of the second moment.
            self.adam.param_groups[0]["eps"] = ADAM_EPSILON / (1 - BETA2**self.n_steps) ** 0.5
            self.adam.step()
            total += loss.detach() * len(rows)
        return total.item() / len(self.y)


if __name__ == "__main__":
    peer.main("PyTorch", Trainer)
