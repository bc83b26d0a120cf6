"""Small facts, batches and networks, built by hand: no tokenizer, no table, no file."""

from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import (
    Candidates,
    HistorySlots,
    Items,
    RecBatch,
    Target,
    Texts,
    Users,
)
from lit_rec.data.facts import Facts
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.users.user_encoder import MeanUserEncoder

WORDS = 40
TINY_BERT = {
    "vocab_size": WORDS,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 32,
}


@pytest.fixture
def tiny_bert():
    return dict(TINY_BERT)


@pytest.fixture
def facts():
    return Facts.example(
        rating_mean=3.5,
        events=("view", "buy"),
        user_ids=tuple(f"u{i}" for i in range(4)),
        item_ids=tuple(f"i{i}" for i in range(6)),
        fields=("title", "genre"),
        max_tokens=16,
    )


def _batch(seed=0, rows=5, longest=4, items=6, candidates=3, fields=2):
    """Row 0 has no history; the last item and the last user are unseen; the last text is empty."""
    chance = torch.Generator().manual_seed(seed)

    def integers(low, high, shape):
        return torch.randint(low, high, shape, generator=chance)

    texts = items + 3
    lengths = integers(1, 9, (texts,))
    lengths[-1] = 0
    tokens = integers(3, WORDS, (int(lengths.sum()),)).int()
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    text_index = integers(0, texts, (items, fields))
    text_index[0, -1] = texts - 1
    length = integers(1, longest + 1, (rows,))
    length[0] = 0
    mask = torch.arange(longest) < length[:, None]
    rated = mask & (torch.rand(mask.shape, generator=chance) < 0.8)
    of_labels = torch.Generator().manual_seed(seed)  # other values than labels stay what they were
    label = torch.where(mask, torch.randint(0, 3, mask.shape, generator=of_labels), 0)
    vocab_row = torch.arange(1, items + 1)
    vocab_row[-1] = 0
    return RecBatch(
        texts=Texts(tokens, offsets),
        items=Items(text_index, torch.arange(items), vocab_row),
        users=Users(torch.arange(1, rows + 1) % rows),
        history=HistorySlots(
            item_index=torch.where(mask, integers(0, items, mask.shape), 0),
            mask=mask,
            rating=torch.where(rated, integers(1, 6, mask.shape).float(), torch.nan),
            event=torch.where(mask, integers(0, 3, mask.shape), 0),
            age_days=torch.where(mask, 1.0, torch.nan),
            label=label,
        ),
        candidates=Candidates(
            integers(0, items, (rows, candidates)), torch.ones(rows, candidates, dtype=torch.bool)
        ),
        target=Target(
            integers(1, 6, (rows, candidates)).float(), torch.ones(rows, candidates).bool()
        ),
        row=torch.arange(rows),
        impression=torch.full((rows,), -1),
    )


def _items_at(batch, at):
    """The items at places ``at``, each with texts of its own, in the order of ``at``."""
    texts, offsets = batch.texts.tokens, batch.texts.offsets
    wanted = batch.items.text_index[at].flatten().tolist()
    pieces = [texts[offsets[p] : offsets[p + 1]] for p in wanted]
    lengths = torch.tensor([0] + [len(piece) for piece in pieces])
    return {
        "texts": Texts(torch.cat(pieces), lengths.cumsum(0)),
        "items": Items(
            torch.arange(len(wanted)).view(len(at), -1),
            batch.items.catalogue_row[at],
            batch.items.vocab_row[at],
        ),
    }


def _only_row(batch, row):
    """What a batch of this row alone would hold: its own history length, items and texts."""
    pick = torch.tensor([row])
    length = int(batch.history.mask[row].sum())
    history = batch.history.item_index[row, :length]
    used, place = torch.unique(
        torch.cat([history, batch.candidates.item_index[row]]), return_inverse=True
    )
    slots = {
        name: getattr(batch.history, name)[pick, :length]
        for name in ("mask", "rating", "event", "age_days", "label")
    }
    return RecBatch(
        **_items_at(batch, used),
        users=Users(batch.users.vocab_row[pick]),
        history=HistorySlots(item_index=place[:length].unsqueeze(0), **slots),
        candidates=Candidates(place[length:].unsqueeze(0), batch.candidates.mask[pick]),
        target=Target(batch.target.value[pick], batch.target.mask[pick]),
        row=batch.row[pick],
        impression=batch.impression[pick],
    )


def _every_occurrence(batch):
    """The same batch with nothing shared: each slot is an item row of its own, with texts of its own."""
    history, candidates = batch.history, batch.candidates
    at = torch.cat([history.item_index.flatten(), candidates.item_index.flatten()])
    place = torch.arange(len(at))
    cut = history.item_index.numel()
    return replace(
        batch,
        **_items_at(batch, at),
        history=replace(history, item_index=place[:cut].view_as(history.item_index)),
        candidates=replace(candidates, item_index=place[cut:].view_as(candidates.item_index)),
    )


def _padded(batch, more):
    """The same batch with ``more`` padding slots at the right of each history."""
    history = batch.history
    fill = {"item_index": 0, "mask": False, "rating": torch.nan, "event": 0, "age_days": torch.nan}
    fill["label"] = 0
    slots = {
        name: torch.nn.functional.pad(getattr(history, name), (0, more), value=value)
        for name, value in fill.items()
    }
    return replace(batch, history=HistorySlots(**slots))


@pytest.fixture
def clicks(facts):
    """Two labels, which histories tell."""
    labels = {"labels": ("no", "yes"), "label_counts": (29, 9), "history_labels": True}
    return replace(facts, task="label", **labels)


@pytest.fixture
def make_batch():
    return _batch


@pytest.fixture
def batch():
    return _batch()


@pytest.fixture
def only_row():
    return _only_row


@pytest.fixture
def every_occurrence():
    return _every_occurrence


@pytest.fixture
def padded():
    return _padded


@pytest.fixture
def make_network(facts):
    """A TwoTower on a tiny BERT, every parameter moved off its start so that no part is silent."""

    def make(
        user_encoder=MeanUserEncoder,
        head=DotHead,
        *,
        facts=facts,
        tuning=None,
        start=None,
        **options,
    ):
        torch.manual_seed(0)

        def item_encoder(facts):
            def backbone(facts):
                return ConfiguredBackbone(facts, "bert", TINY_BERT, tuning)

            return ItemEncoder(facts, backbone, width=8, **{"ids": IdEmbedding, **options})

        network = TwoTower(facts, item_encoder, user_encoder, head, start=start)
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if "backbone" not in name and not name.startswith("start."):
                    parameter.add_(0.1 * torch.randn_like(parameter))
        return network.eval()

    return make
