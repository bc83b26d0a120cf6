"""Names of columns in several languages and cases."""

import pytest

from lit_rec.init.column_names import (
    STRONG,
    WEAK,
    is_bare_id,
    name_score,
    same_name,
    words_of,
)

# role -> names that mean it
MEAN = {
    "user_id": "user_id userId UserID USER customer_id CustomerNo KundenNr kunde_id reviewerID "
    "uid visitorid member_ref Nutzer utilisateur_id usuario 用户ID 用户 ユーザーID пользователь "
    "clientes",
    "item_id": "item_id itemId movieId MOVIE_ID product asin parent_asin ISBN sku ArtikelNr "
    "news_id newsId bookid songs produit producto_id 商品ID 商品 товар",
    "rating": "rating Rating stars overall Bewertung évaluation calificación 评分 оценка score",
    "label": "label clicked is_click liked purchased",
    "event": "event eventType event_type action behavior_type",
    "timestamp": "timestamp ts time Date datetime Zeitstempel fecha 时间 дата",
    "title": "title Name titre título 标题",
}


@pytest.mark.parametrize(
    ("role", "name"), [(r, n) for r, names in MEAN.items() for n in names.split()]
)
def test_names_that_mean_a_role(role, name):
    assert name_score(name, role) == STRONG
    others = [r for r in MEAN if r != role and name_score(name, r) == STRONG]
    assert others == []


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("loyal_customer", "user_id"),
        ("unixReviewTime", "timestamp"),
        ("bought_at", "timestamp"),
        ("user_rating", "rating"),
        ("movie_title", "title"),
        ("orderDate", "timestamp"),
    ],
)
def test_the_last_word_counts_less(name, role):
    assert name_score(name, role) == WEAK


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("rating_id", "rating"),
        ("user_rating", "user_id"),
        ("event_id", "event"),
        ("username_hash_length", "user_id"),
        ("", "user_id"),
        ("123", "item_id"),
        ("tag", "timestamp"),
        ("reviewerName", "user_id"),
    ],
)
def test_names_that_do_not_mean_it(name, role):
    assert name_score(name, role) == 0


def test_words():
    assert words_of("HTTPRequest2_id") == ["http", "request", "2", "id"]
    assert words_of("Größe") == ["grosse"]
    assert same_name("movie_id", "MovieID")
    assert not same_name("movie_id", "movie")
    assert is_bare_id("ID")
    assert not is_bare_id("userId")
    assert not is_bare_id("")
