"""Contents of checkpoints that are wrong: what is changed in a right one, and what the message names."""

import math

import torch


def _nested(depth):
    held = value = {}
    for _ in range(depth):
        value["more"] = value = {}
    return held


def _shared(depth):
    held = [1]
    for _ in range(depth):
        held = [held, held]
    return held


def put(path, value):
    """Return the change that puts a value at a path, such as ``lit_rec.facts.task``."""

    def change(checkpoint):
        *before, last = path.split(".") if isinstance(path, str) else path
        for name in before:
            checkpoint = checkpoint[name]
        if value is GONE:
            del checkpoint[last]
        else:
            checkpoint[last] = value(checkpoint.get(last)) if callable(value) else value

    return change


def at(place, value):
    """Return what puts a value into a tensor, or into a list."""

    def change(held):
        held = held.clone() if isinstance(held, torch.Tensor) else list(held)
        held[place] = value
        return held

    return change


GONE = object()
BIG = 10**9
WEIGHT = "network.head.hidden.1.bias"
BACKBONE = "lit_rec.facts.backbone"
MODEL = "lit_rec.config.model.network.init_args"

# what stands under lit_rec, as (path, value, words of the message)
CONTENT = [
    ("format", "3", "format is '3'"),
    ("format", True, "format is True"),
    ("versions", 3, "versions: 3"),
    ("versions", {"torch": 2}, "versions.torch: 2"),
    ("config", [], "config: a list of 0"),
    ("config", {}, "config.model: None"),
    ("config.model", None, "config.model: None"),
    ("config.data", "x", "config.data: 'x'"),
    ("config.data.init_args", 3, "config.data.init_args: 3"),
    ("config.trainer", GONE, "config.trainer: None"),
    ("config.model.more", b"x", "config.model.more: b'x'"),
    ("config.model.more", {1: 2}, "config.model.more: 1"),
    ("config.model.more", _nested(100), "too much"),
    ("config.model.more", _shared(60), "too much"),
    ("config.model.more", 2**70, "a number of 71 bits"),
    ("config.model.more", "\ud800", "config.model.more: '\\ud800'"),
    ("facts", GONE, "facts: absent"),
    ("facts", [], "facts: a list of 0"),
    ("facts.task", GONE, "facts.task: absent"),
    ("facts.more", 1, "facts: an entry 'more'"),
    ("facts.task", "ranking", "facts.task: 'ranking'"),
    ("facts.rating_mean", math.nan, "facts.rating_mean: nan"),
    ("facts.rating_low", "1", "facts.rating_low: '1'"),
    ("facts.rating_low", 9.0, "facts.rating_low: 9, above 5"),
    ("facts.events", "click", "facts.events: 'click'"),
    ("facts.item_ids", at(3, 7), "facts.item_ids[3]: 7"),
    ("facts.item_ids", at(3, "50"), "facts.item_ids[3]: '50' again"),
    ("facts.user_ids", at(0, "\ud800"), "facts.user_ids[0]"),
    ("facts.fields", (), "text_of_item: a tensor of int64 [40, 1]"),
    ("facts.max_tokens", 0, "facts.max_tokens: 0"),
    ("facts.max_tokens", 4, "those of a text with"),
    ("facts.special.pad", -1, "facts.special.pad: -1"),
    ("facts.special.prefix", (BIG,), "facts.special.prefix: 1000000000"),
    ("facts.item_bias", (0.5,), "facts.item_bias: a list of 1"),
    ("facts.item_bias", at(2, math.inf), "facts.item_bias[2]: inf"),
    ("facts.label_counts", (1, 2), "facts.label_counts: a list of 2"),
    ("facts.item_fields", ({"kind": "odd", "column": "c"},), "facts.item_fields[0].kind: 'odd'"),
    ("facts.item_fields", ({"kind": "number", "column": "c"},), "item_fields[0].edges: absent"),
    (
        "facts.item_fields",
        ({"kind": "number", "column": "c", "edges": (2.0, 1.0)},),
        "item_fields[0].edges: out of order",
    ),
    (
        "facts.item_fields",
        ({"kind": "vector", "column": "c", "width": 3},),
        "catalogue.fields.c: absent",
    ),
    ("facts.history_labels", 1, "facts.history_labels: 1"),
    ("facts.backbone", [1], "facts.backbone: a list of 1"),
    ("facts.backbone", None, "facts.backbone: None"),
    ("facts.backbone.auto_map", {"AutoModel": "x.Y"}, "auto_map: {'AutoModel': 'x.Y'}"),
    ("facts.backbone.model_type", GONE, "model_type: None"),
    ("facts.backbone.model_type", "no-such", "no-such"),
    ("facts.backbone.num_hidden_layers", BIG, "num_hidden_layers: 1000000000"),
    ("facts.backbone.num_hidden_layers", 900, "is absent"),
    ("facts.backbone.hidden_size", BIG, "in the network (90, 1000000000)"),
    ("facts.backbone.hidden_size", "wide", "hidden_size"),
    ("facts.backbone.vocab_size", 91, "(90, 16), in the network (91, 16)"),
    ("facts.backbone.vocab_size", 7, "numbers from 0 to 6"),
    ("facts.backbone.num_labels", BIG, "num_labels: 1000000000"),
    ("facts.backbone._attn_implementation", "who/kernel", "'who/kernel'"),
    ("facts.backbone.quantization_config", {"quant_method": "x"}, "quantization_config"),
    ("tokenizer", [], "tokenizer: a list of 0"),
    ("tokenizer", {"../x": b"x"}, "../x: a file of that name"),
    ("tokenizer", {"/tmp/x": b"x"}, "/tmp/x: a file of that name"),
    ("tokenizer", {"tokenizer.json": "{}"}, "tokenizer.tokenizer.json: a str"),
    ("template", GONE, "template: absent"),
    ("template.columns", {}, "template.columns.text: absent"),
    ("template.columns", {"text": []}, "template.columns.text: a list of 0"),
    ("template.labels", {"x": "y"}, "template.labels: one of 'x'"),
    ("template.separator", 3, "template.separator: 3"),
    ("profile_template", 3, "profile_template: 3"),
    ("history_length", -1, "history_length: -1"),
    ("history_length", 1.5, "history_length: 1.5"),
    ("catalogue", GONE, "catalogue: absent"),
    ("catalogue.item_id", at(1, "50"), "catalogue.item_id[1]: '50' again"),
    ("catalogue.item_id", at(1, None), "catalogue.item_id[1]: None"),
    ("catalogue.item_id", lambda ids: ids[:-1], "a list of 40"),
    ("catalogue.columns.title", at(1, 3), "catalogue.columns.title[1]: 3"),
    ("catalogue.columns.title", ["a"], "catalogue.columns.title: a list of 1"),
    ("catalogue.tokens", at(5, -1), "catalogue.tokens: the number -1"),
    ("catalogue.tokens", at(5, 90), "catalogue.tokens: the number 90"),
    ("catalogue.tokens", lambda t: t.float(), "catalogue.tokens: a tensor of float32 [598]"),
    ("catalogue.tokens", lambda t: t[:1].clone().expand(BIG), "over 4 bytes"),
    ("catalogue.offsets", at(2, 500), "catalogue.offsets: "),
    ("catalogue.offsets", lambda t: t[:-1], "catalogue.offsets: offsets from 0 to"),
    ("catalogue.offsets", lambda t: t[:0], "catalogue.offsets: no offset"),
    ("catalogue.text_of_item", at((0, 0), 40), "catalogue.text_of_item: the number 40"),
    ("catalogue.text_of_item", lambda t: t[:, 0], "catalogue.text_of_item: a tensor of int64 [40]"),
    ("catalogue.fields", {"year": torch.zeros(40)}, "catalogue.fields.year: there"),
    ("catalogue.vectors", at((3, 1), math.nan), "catalogue.vectors: nan at 1 of 2,600 places"),
    ("catalogue.vectors", lambda t: t[:-1], "catalogue.vectors: a tensor of float32 [39, 65]"),
    (
        "catalogue.vectors",
        lambda t: t[:, 1:].clone(),
        "catalogue.vectors: a tensor of float32 [40, 64]",
    ),
    ("catalogue.vectors", lambda t: t.to_sparse(), "sparse"),
    ("catalogue.vectors", lambda t: t.to("meta"), "meta"),
    ("catalogue.vectors", torch.nn.Parameter, "catalogue.vectors: a tensor"),
    ("catalogue.maker", 3, "catalogue.maker: 3"),
    ("users", None, "users: None"),
    ("users.user_id", lambda ids: ids[:-1], "users.offsets: a tensor of int64 [21]"),
    ("users.offsets", at(-1, 900), "users.offsets: offsets from 0 to 900"),
    ("users.item", at(0, 40), "users.item: the number 40"),
    ("users.rating", at(0, math.inf), "users.rating: inf"),
    ("users.event", at(0, 0), "users.event: the number 0"),
    ("users.label", at(0, 3), "users.label: the number 3"),
    ("users.timestamp", GONE, "users.timestamp: absent"),
    ("profiles", {}, "profiles: a dict of 0"),
]

# of the whole checkpoint
WHOLE = [
    ("hyper_parameters", {"_class_path": "os.system"}, "hyper_parameters: there"),
    ("state_dict", GONE, "state_dict: None"),
    ("pytorch-lightning_version", {"x": 1}, "pytorch-lightning_version: a dict"),
    ("pytorch-lightning_version", "new", "pytorch-lightning_version: 'new'"),
    ("state_dict", [1], "state_dict: a list of 1"),
    (("state_dict", WEIGHT), 3, f"state_dict.{WEIGHT}: 3"),
    (("state_dict", WEIGHT), at(0, math.nan), f"state_dict.{WEIGHT}: nan at 1 of 64 places"),
    (("state_dict", WEIGHT), at(0, -math.inf), f"state_dict.{WEIGHT}: -inf at 1 of 64 places"),
    (("state_dict", WEIGHT), lambda w: w[:1].clone().expand(64), "over 4 bytes"),
    (("state_dict", WEIGHT), GONE, f"{WEIGHT} is absent"),
    (("state_dict", WEIGHT), torch.zeros(3), "shape (3,), in the network (64,)"),
    ("lit_rec.config.model.network.init_args.item_encoder.init_args.width", BIG, "1000000001"),
    ("lit_rec.config.model.network.init_args.head.init_args.hidden", BIG, "1000000000"),
]

CHANGES = [(f"lit_rec.{path}", value, said) for path, value, said in CONTENT] + WHOLE

# of the state of training, which `fit` goes on from
OPTIMIZER = ("optimizer_states", 0)
TRAINING = [
    ("epoch", -1, "epoch: -1"),
    ("global_step", "many", "global_step: 'many'"),
    ("optimizer_states", 3, "optimizer_states: 3"),
    ("optimizer_states", [], "optimizer_states: a list of 0"),
    ("optimizer_states", [{}], "optimizer_states[0].state: absent"),
    ((*OPTIMIZER, "state"), {"x": {}}, "'x'"),
    ((*OPTIMIZER, "state"), {999: {}}, "999"),
    ((*OPTIMIZER, "state", 0, "exp_avg"), torch.zeros(3), "state[0].exp_avg: a tensor"),
    ((*OPTIMIZER, "state", 0, "exp_avg"), at((0, 0), math.nan), "state[0].exp_avg: nan"),
    ((*OPTIMIZER, "state", 0, "step"), "x", "state[0].step: 'x'"),
    ((*OPTIMIZER, "param_groups"), [], "param_groups: a list of 0"),
    ((*OPTIMIZER, "param_groups", 0, "lr"), "fast", "param_groups[0].lr: 'fast'"),
    ((*OPTIMIZER, "param_groups", 0, "params"), [0], "param_groups[0]"),
    ((*OPTIMIZER, "param_groups", 0, "betas"), (0.9,), "param_groups[0].betas: a list"),
    ("lr_schedulers", None, "lr_schedulers: None"),
    ("lr_schedulers", [{"step": 3}], "lr_schedulers[0]: an entry 'step'"),
    (("lr_schedulers", 0, "base_lrs"), [1.0], "lr_schedulers[0].base_lrs: a list of 1"),
    (("lr_schedulers", 0, "last_epoch"), None, "last_epoch: None"),
    ("loops", [], "loops: a list of 0"),
    ("loops.fit_loop", GONE, "loops.fit_loop: absent"),
    ("loops.fit_loop.epoch_progress", 3, "loops.fit_loop.epoch_progress: 3"),
    ("loops.fit_loop.epoch_progress.current.ready", -5, "current.ready: -5"),
    (
        ("loops", "fit_loop", "state_dict", "combined_loader"),
        [{"epoch": 0, "batches": "x"}],
        "combined_loader[0].batches: 'x'",
    ),
    ("callbacks", [], "callbacks: a list of 0"),
    ("ranks", [{}], "ranks[0].chance: absent"),
    (("ranks", 0, "chance", "torch"), torch.zeros(3, dtype=torch.uint8), "chance.torch: a tensor"),
    (("ranks", 0, "chance", "python"), (3, (1, 2), None), "chance.python[1]: a list of 2"),
    (("ranks", 0, "chance", "numpy"), ["x"], "chance.numpy: a list of 1"),
    (("ranks", 0, "train_loss"), {"update": 3}, "train_loss: an entry 'update'"),
]
