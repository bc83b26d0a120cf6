"""Which kinds of events are the ones to predict: purchases, where there are views as well."""

from __future__ import annotations

import polars as pl

from lit_rec.init.column_names import words_of

_PURCHASE_WORDS = (
    "purchase purchased purchases buy bought buying order ordered orders transaction transactions checkout sale sales "
    "paid pay payment kauf gekauft bestellung achat achete compra comprado acquisto zakup 购买 購入 구매"
)
_WEAKER_WORDS = (
    "view views viewed viewing pv pageview click clicks clicked clickthrough browse browsed visit open opened detail "
    "details impression impressions show shown hover read search cart carts addtocart basket addtobasket add remove "
    "removefromcart removed fav favorite favourite favorites wishlist wish like likes save bookmark collect share "
    "from to the a item product page in ansicht klick warenkorb vue panier vista carrito 浏览 加购 收藏 点击"
)
_PURCHASES, _WEAKER = frozenset(_PURCHASE_WORDS.split()), frozenset(_WEAKER_WORDS.split())
_LEAST = 20  # purchases from which a model can learn


def purchases(behaviors: pl.DataFrame, part: pl.Series) -> tuple[str, ...]:
    """Return the kind of purchases, if all other kinds are weaker, and each part has purchases; else nothing.

    Args:
        behaviors: With event or without.
        part: ``[R]`` train, val or test.

    Example:
        >>> rows = pl.DataFrame({"user_id": "u", "event": ["view", "addtocart", "transaction"] * 30})
        >>> purchases(rows, pl.Series(["train"] * 60 + ["val"] * 15 + ["test"] * 15))
        ('transaction',)
    """
    if "event" not in behaviors.columns:
        return ()
    kinds = behaviors["event"].drop_nulls().unique().sort().to_list()
    bought = [
        kind
        for kind in kinds
        if _words(kind) & _PURCHASES and not _words(kind) & {"cart", "remove"}
    ]
    if len(bought) != 1 or len(kinds) < 2:
        return ()
    if not all(_words(kind) and _words(kind) <= _WEAKER for kind in kinds if kind != bought[0]):
        return ()
    counts = behaviors.with_columns(part=part).filter(pl.col("event") == bought[0])
    enough = len(counts) >= _LEAST and counts["part"].n_unique() == 3
    trained = counts.filter(pl.col("part") == "train")["user_id"]
    rows = behaviors.filter(part == "train")["user_id"].value_counts()
    again = rows.filter(pl.col("count") > 1, pl.col("user_id").is_in(trained.implode()))
    return tuple(bought) if enough and len(again) else ()


def _words(kind: str) -> set[str]:
    return set(words_of(kind))
