"""One training run of the guard: rows, fit, thresholds, export, and what it reaches."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sanad_core.cli.progress import progress
from sanad_core.errors import UsageError
from sanad_guard.drafts import CORPUS, RULES, Item, read_items
from sanad_guard.evaluation import Judged, judge
from sanad_guard.model import CARD, MODEL, Card, GuardModel
from sanad_guard.training.fit import Example, Recipe, examples, fit, scores
from sanad_guard.training.judged import read_answers
from sanad_guard.training.network import Network
from sanad_screen.model import digest
from sanad_screen.tokens import Reader
from sanad_screen.training.export import Given, quantised, sampled
from sanad_screen.training.fused import fuse
from sanad_screen.training.gather import held_out
from sanad_screen.training.network import NotBert, load_encoder
from sanad_screen.training.tensors import inputs

__all__ = ["Run", "train"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is asked of a run.

    Args:
        start: the encoder to start from, a folder or a hub id: a MiniLM of the shipped trunk.
        out: folder that the run is written to.
        rows: labelled files beside the corpus.
        public: folder of public sets, whose labelled answers train as well.
        corpus: whether the project's own drafts train.
        good_blocked: share of good held-out replies that may be blocked.
        recipe: how to train.
    """

    start: str
    out: Path
    rows: tuple[Path, ...] = ()
    public: Path | None = None
    corpus: bool = True
    good_blocked: float = 0.02
    recipe: Recipe


def train(run: Run) -> str:
    """Train a guard and write it.

    Returns:
        A few lines on what it reaches.

    Raises:
        ContentError: rows are wrong.
        UsageError: the encoder cannot be used.
    """
    began = time.monotonic()
    torch.manual_seed(run.recipe.seed)
    train_items, public, dev = _items(run)
    try:
        encoder, _ = load_encoder(run.start)
    except (OSError, NotBert) as err:
        raise UsageError(f"--start: no encoder can be loaded from '{run.start}': {err}") from None
    reader = _reader()
    network = Network(encoder, run.recipe.frozen)
    held = examples(reader, dev)
    with progress("training") as told:
        fit(
            network,
            reader,
            train_items,
            public,
            run.recipe,
            lambda _: told(1),
            lambda _, n: _lost(n, reader, held),
        )
    run.out.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), run.out / "weights.pt")
    seen = _seen(network, reader, held)
    folder, judged, card = _packed(run, network, seen, [*train_items, *public], dev)
    minutes = (time.monotonic() - began) / 60
    report = {
        **_plain(asdict(run)),
        "held_out": _figures(judged, card.sentence, card.whole),
        "minutes": minutes,
    }
    (run.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return _summary(report["held_out"], folder, minutes)


def _reader() -> Reader:
    from sanad_screen.encoder import TOKENIZER
    from sanad_screen.model import PACKAGED

    return Reader(PACKAGED / TOKENIZER)


def _items(run: Run) -> tuple[list[Item], list[Item], list[Item]]:
    """Contexts to train on, parts of public answers, and held-out ones of both, by context."""
    files = ((CORPUS / "train.jsonl",) if run.corpus else ()) + run.rows
    items = [item for path in files for item in read_items(path)]
    train_items, dev = held_out(items, by=_context)
    answers = read_answers(run.public) if run.public is not None else []
    public, more = held_out(answers, by=_context)
    for which, found in (("to train on", train_items), ("held out (one in ten)", dev)):
        kinds = {bool(reply.rules) for item in found for reply in item.replies}
        if len(kinds) < 2:
            raise UsageError(
                f"among the {len(found)} contexts {which} there must be good replies and bad ones; "
                "add rows, or train with the corpus"
            )
    Random(run.recipe.seed).shuffle(train_items)
    return train_items, public, [*dev, *more]


def _context(item: Item) -> str:
    return "\n".join(turn.text for turn in item.context)


def _lost(network: Network, reader: Reader, held: Sequence[Any]) -> float:
    """How well good and bad held-out pieces are told apart; lower is better."""
    from sklearn.metrics import roc_auc_score

    found = scores(network, reader, held)
    each = [float(max(by_sentence[:, -1].max(), whole[-1])) for by_sentence, whole in found]
    return 1.0 - float(roc_auc_score([example.whole[-1] > 0 for example in held], each))


def _packed(
    run: Run, network: Network, seen: Sequence[Given], items: Sequence[Item], dev: Sequence[Item]
) -> tuple[Path, list[Judged], Card]:
    """Write the model with its thresholds; the folder gets its name when it is complete."""
    folder = run.out / "model"
    part = folder.with_name("model.part")
    part.mkdir(exist_ok=True)
    _export(network, seen, part / MODEL)
    card = _card(run, items, part)
    _written(part, card)
    judged = judge(GuardModel(part), dev)
    sentence, whole = _thresholds(judged, run.good_blocked)
    card = card.model_copy(update={"sentence": sentence, "whole": whole})
    _written(part, card)
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    return folder, judged, card


class _Exported(nn.Module):
    """The trained layers and heads, over the trunk's states."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.upper = fuse(network.upper)

    def forward(self, states: Tensor, types: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return self.network.logits(self.upper(states, mask), types, mask)


@torch.inference_mode()
def _seen(network: Network, reader: Reader, held: Sequence[Example]) -> list[Given]:
    """Held-out drafts as the trained layers get them; the int8 scales are measured on them."""
    read = [inputs([example.reading.row], reader) for example in sampled(held)]
    return [
        {"states": network.trunk(**one), "types": one["types"], "mask": one["mask"]} for one in read
    ]


def _export(network: Network, seen: Sequence[Given], path: Path) -> None:
    network.eval()
    heads = network.upper.layers[0].attention.self.num_attention_heads
    quantised(_Exported(network), seen, ["tokens", "about", "whole"], path, int(heads))


def _card(run: Run, items: Sequence[Item], folder: Path) -> Card:
    data = hashlib.sha256("\0".join(item.model_dump_json() for item in items).encode())
    return Card(
        start=Path(run.start).name,
        rules=list(RULES),
        sentence=0.5,
        whole=0.5,
        good_blocked=run.good_blocked,
        data=data.hexdigest(),
        digest=digest(folder / MODEL),
    )


def _written(folder: Path, card: Card) -> None:
    (folder / CARD).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _thresholds(judged: Sequence[Judged], share: float) -> tuple[float, float]:
    """The pair that finds most bad replies while it blocks at most this share of good ones."""
    good = np.array([(j.sentence, j.whole) for j in judged if not j.rules])
    bad = np.array([(j.sentence, j.whole) for j in judged if j.rules])
    best = (-1.0, 0.5, 0.5)
    for part in np.linspace(0, share, 9):
        sentence = float(np.quantile(good[:, 0], 1 - part, method="higher")) + 1e-4
        left = good[good[:, 0] < sentence]
        allowed = max(0.0, share - (good[:, 0] >= sentence).mean()) * len(good) / len(left)
        whole = float(np.quantile(left[:, 1], 1 - allowed, method="higher")) + 1e-4
        found = float(((bad[:, 0] >= sentence) | (bad[:, 1] >= whole)).mean())
        best = max(best, (found, min(sentence, 0.99), min(whole, 0.99)))
    return round(best[1], 4), round(best[2], 4)


def _figures(judged: Sequence[Judged], sentence: float, whole: float) -> dict[str, float]:
    blocked = [j.sentence >= sentence or j.whole >= whole for j in judged]
    good = [b for b, j in zip(blocked, judged, strict=True) if not j.rules]
    bad = [b for b, j in zip(blocked, judged, strict=True) if j.rules]
    return {
        "bad_blocked": sum(bad) / len(bad),
        "good_blocked": sum(good) / len(good),
        "bad": len(bad),
        "good": len(good),
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(values, default=str))  # type: ignore[no-any-return]


def _summary(found: dict[str, float], folder: Path, minutes: float) -> str:
    return "\n".join(
        (
            f"encoder alone, held-out drafts: {found['bad_blocked']:.3f} of {found['bad']:.0f} bad "
            f"ones blocked, {found['good_blocked']:.3f} of {found['good']:.0f} good ones",
            f"model: {folder} ({minutes:.0f} minutes); in a policy: options: {{folder: {folder}}}",
        )
    )
