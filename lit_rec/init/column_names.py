"""What the name of a column says about its meaning, in several languages and spellings."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

STRONG, WEAK = 1.0, 0.6
_ID_WORDS = (
    *("id", "ids", "nr", "no", "num", "number", "nummer", "numero"),
    *("key", "code", "ref", "uuid", "guid", "idx", "unique", "编号", "ид"),
)
_ID_ROLES = ("user_id", "item_id", "impression_id")
# without accents, words joined; the first list has whole names, the second also names that are a last word
_NAMES = {
    "user_id": (
        "uid username userhash msno steamid",
        "user customer client member account buyer shopper reviewer rater visitor person reader "
        "viewer listener player consumer subscriber student learner cust household "
        "patron borrower guest profile kunde nutzer benutzer kaeufer leser "
        "utilisateur usuario cliente utente gebruiker klant uzytkownik kullanici пользователь "
        "клиент 用户 客户 会员 ユーザー 顧客 사용자",
    ),
    "item_id": (
        "parentasin artnr artno",
        "item product sku asin isbn movie film book article artikel news song track album artist "
        "game app video show episode recipe dish restaurant business place poi venue hotel course "
        "job offer listing stock goods anime manga beer wine joke "
        "podcast content document doc ad post produkt buch produit livre producto libro "
        "articulo pelicula prodotto articolo товар фильм книга 商品 物品 电影 图书 製品 作品 상품",
    ),
    "rating": (
        "overall reviewoverall",
        "rating ratings rate stars star score grade note points bewertung sterne punkte wertung "
        "evaluation puntuacion calificacion valoracion voto votazione beoordeling ocena оценка "
        "рейтинг 评分 评价 評価 평점",
    ),
    "label": (
        "y isclick isclicked isliked ispurchase ctr geklickt gekauft",
        "label click clicked clicks like liked target converted conversion purchased bought response klick",
    ),
    "event": (
        "type",
        "event action behavior behaviour interaction activity eventtype actiontype behaviortype "
        "interactiontype ereignis aktion evenement evento действие 行为 行動",
    ),
    "timestamp": (
        "when ratedat",
        "timestamp time ts datetime date day at on zeit zeitstempel zeitpunkt datum horodatage "
        "heure jour fecha hora momento data ora tijd tarih время дата 时间 時間 时间戳 日期 日時 "
        "시간",
    ),
    "impression_id": ("impid qid", "impression request slate query search impressions"),
    "title": (
        "",
        "title name headline titel bezeichnung ueberschrift titre nom intitule titulo nombre nome "
        "titolo naam tytul nazwa название заголовок 标题 名称 片名 タイトル 題名 제목",
    ),
    "year": ("", "year jahr annee ano anno jaar rok год 年 年份"),
    # numbers that are not ratings
    "measure": (
        "",
        "quantity qty count amount price cost total value age position rank pos duration seconds "
        "minutes hours length size weight year month week hour index menge anzahl preis quantite prix "
        "cantidad precio helpful votes helpfulness useful funny cool playtime playcount plays listens "
        "views visits units discount tax revenue sales spent order dow days lat lon latitude longitude",
    ),
}

# a first word that says as much as a last one: `sum_click`, `date_added`
_FIRST_WORDS = {
    "measure": frozenset(("sum", "nb", "count", "total", "avg", "mean", "days", "anzahl")),
    "timestamp": frozenset(("date", "time", "datum", "fecha")),
    "year": frozenset(("year",)),
}
_COUNTS = (
    "num",
    "number",
    "no",
    "nr",
    "numero",
)  # as a first word: a count, except before a user or an item


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case, without accents, split at changes of case, signs and digits.

    Example:
        >>> words_of("CustomerID"), words_of("bought_at"), words_of("Évaluation")
        (['customer', 'id'], ['bought', 'at'], ['evaluation'])
    """
    letters = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    found = re.findall(
        r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+", plain.replace("ß", "ss")
    )
    return [word.lower() for word in found]


@cache
def _names_of(role: str) -> tuple[frozenset[str], frozenset[str]]:
    whole, last = ({"".join(words_of(n)) for n in text.split()} for text in _NAMES[role])
    return frozenset(whole | last), frozenset(last)


def name_score(name: str, role: str) -> float:
    """Return how well a name matches a role: 0, ``WEAK`` (its last word does) or ``STRONG`` (the whole name does).

    Args:
        name: The column's name.
        role: A canonical name, or ``title``, ``year`` or ``measure``.

    Example:
        >>> [name_score(n, "user_id") for n in ("customerId", "KundenNr", "loyal_customer", "rating")]
        [1.0, 1.0, 0.6, 0.0]
    """
    words = words_of(name)
    stem = [word for word in words if word not in _ID_WORDS]
    if is_id_name(name) and role not in _ID_ROLES:
        return 0.0
    if stem and role in _ID_ROLES:
        stem = [*stem[:-1], _without_id(stem[-1]) or stem[-1]]
    whole, last = _names_of(role)
    if name == role or _singular("".join(stem), whole):
        return STRONG
    first = words[:1] and words[0] in _FIRST_WORDS.get(role, ())
    first = first or (role == "measure" and len(words) > 1 and words[0] in _COUNTS)
    return WEAK if stem and (first or _singular(stem[-1], last)) else 0.0


def names_an_id(name: str) -> bool:
    """Return whether a name says that the values are of users, items or other things; a key of dates is none.

    Example:
        >>> [names_an_id(name) for name in ("visitorid", "account", "isbn", "date_key", "time", "x")]
        [True, True, True, False, False, False]
    """
    stem = [word for word in words_of(name) if word not in _ID_WORDS]
    if stem and _singular("".join(stem), _names_of("timestamp")[0]):
        return False
    return is_id_name(name) or any(name_score(name, role) for role in _ID_ROLES)


def is_id_name(name: str) -> bool:
    """Return whether a name says that the values identify something: ``request_id``, ``customerid``.

    Example:
        >>> [is_id_name(name) for name in ("request_id", "numero_client", "num_pages", "number_of_votes")]
        [True, True, False, False]
    """
    words = words_of(name)
    roles = (_names_of(role)[0] for role in _ID_ROLES)
    if (
        len(words) > 1
        and words[0] in _COUNTS
        and not any("".join(words[1:]) in names for names in roles)
    ):
        words = words[1:]
    return any(word in _ID_WORDS for word in words) or bool(words and _without_id(words[-1]))


def is_bare_id(name: str) -> bool:
    """Return whether a name says only that the values identify something: ``id``, ``ID``, ``key``."""
    words = words_of(name)
    return bool(words) and all(word in _ID_WORDS for word in words)


def same_name(one: str, other: str) -> bool:
    """Return whether two names differ only in case and signs."""
    return "".join(words_of(one)) == "".join(words_of(other))


def _without_id(word: str) -> str:
    """Return ``customer`` for ``customerid``; an empty text where a word is not a role's name with such an ending."""
    for ending in ("id", "nr", "no"):
        stem = word.removesuffix(ending)
        if stem != word and any(_singular(stem, _names_of(role)[0]) for role in _ID_ROLES):
            return stem
    return ""


def _singular(word: str, names: frozenset[str]) -> bool:
    """Return whether a word, or the word without the ending of a plural or a German compound, is among the names."""
    return any(word.removesuffix(ending) in names for ending in ("", "s", "n", "en", "es") if word)
